#include "front/api/enrollment_writer.h"

namespace warifu::front::api {

using provisioning::Outcome;

Result<provisioning::WrittenEnrollment> EnrollmentWriter::put(store::Transaction& transaction,
                                                              const provisioning::Requester& who,
                                                              const EnrollmentBody& body,
                                                              const provisioning::Precondition& precondition) const {
  TRY(auto written, desk_.put(transaction.provisioning(), transaction.audit(), who, body.request, precondition));
  if (!body.certified_ek) return written;
  TRY(const bool is_other,
      certificates_.keep(transaction.ek_trust(), transaction.audit(), {who.scope, who.actor}, *body.certified_ek));
  if (!is_other || written.outcome.kind == Outcome::Kind::kCreated) return written;
  written.outcome.kind = Outcome::Kind::kUpdated;
  written.outcome.changes.push_back({"attestation.tpm.endorsement_certificate", "(the one before, or none)",
                                     body.certified_ek->certificate().x509().fingerprint_sha256()});
  return written;
}

Result<std::optional<ek_trust::JudgedCertificate>> EnrollmentWriter::find_certificate(
    ek_trust::RecordsView& records, const provisioning::Enrollment& enrollment) const {
  const auto* tpm = std::get_if<provisioning::TpmAttestation>(&enrollment.attestation);
  if (tpm == nullptr) return std::optional<ek_trust::JudgedCertificate>();
  return certificates_.find(records, enrollment.scope, tpm->ek_name);
}

}  // namespace warifu::front::api

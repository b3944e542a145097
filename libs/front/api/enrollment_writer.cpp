#include "front/api/enrollment_writer.h"

#include "front/key_holders.h"

namespace warifu::front::api {

using provisioning::FieldChange;

Result<provisioning::WrittenEnrollment> EnrollmentWriter::put(store::Transaction& transaction,
                                                              const provisioning::Requester& who,
                                                              const EnrollmentBody& body,
                                                              const provisioning::Precondition& precondition) const {
  std::vector<FieldChange> beside;
  if (body.certified_ek) {
    TRY(const auto kept, certificates_.compare(transaction.ek_trust(), who.scope, *body.certified_ek));
    if (kept.is_other)
      beside.push_back({"attestation.tpm.endorsement_certificate", kept.before ? to_hex(*kept.before) : "",
                        body.certified_ek->certificate().x509().fingerprint_sha256()});
  }
  TRY(auto written,
      desk_.put(transaction.provisioning(), transaction.audit(), who, body.request, precondition, beside));
  // After the desk: what it refuses leaves nothing behind.
  if (body.certified_ek)
    TRY_STATUS(certificates_.keep(transaction.ek_trust(), transaction.audit(), who, *body.certified_ek));
  TRY_STATUS(end_unheld_keys(keys_, transaction, who.scope, body.request.registration_id));
  return written;
}

Status EnrollmentWriter::remove(store::Transaction& transaction, const provisioning::Requester& who,
                                const RegistrationId& id, const std::optional<Uuid>& revision) const {
  TRY_STATUS(desk_.remove(transaction.provisioning(), transaction.audit(), who, id, revision));
  return end_unheld_keys(keys_, transaction, who.scope, id);
}

Result<std::optional<ek_trust::JudgedCertificate>> EnrollmentWriter::judge(store::Store& store, const ScopeId& scope,
                                                                           const EnrollmentBody& body) const {
  std::optional<ek_trust::JudgedCertificate> judged;
  const auto* tpm = std::get_if<provisioning::TpmRequest>(&body.request.attestation);
  if (tpm == nullptr) return judged;
  TRY_STATUS(store.read([&](store::Snapshot& snapshot) -> Status {
    if (body.certified_ek) {
      TRY(judged, certificates_.judge(snapshot.ek_trust(), scope, *body.certified_ek));
    } else {
      TRY(judged, certificates_.find(snapshot.ek_trust(), scope, tpm->ek.name().bytes()));
    }
    return {};
  }));
  return judged;
}

Result<std::optional<ek_trust::JudgedCertificate>> EnrollmentWriter::find_certificate(
    ek_trust::RecordsView& records, const provisioning::Enrollment& enrollment) const {
  const auto* tpm = std::get_if<provisioning::TpmAttestation>(&enrollment.attestation);
  if (tpm == nullptr) return std::optional<ek_trust::JudgedCertificate>();
  return certificates_.find(records, enrollment.scope, tpm->ek_name);
}

}  // namespace warifu::front::api

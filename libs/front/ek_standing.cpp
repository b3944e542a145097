#include "front/ek_standing.h"

#include <algorithm>

#include "tpm_types/storage_key.h"

namespace warifu::front {
namespace {

using attestation::EkStanding;
using Worth = EkStanding::Worth;

Result<Bytes> enrolled_ek(provisioning::RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                          ByteView ek_name) {
  TRY(const auto own, records.find_enrollment(scope, registration));
  const auto* tpm = own ? std::get_if<provisioning::TpmAttestation>(&own->attestation) : nullptr;
  if (tpm != nullptr && std::ranges::equal(tpm->ek_name, ek_name)) return tpm->ek_public;
  TRY(const auto listed, records.find_group_ek(scope, ek_name));
  return listed ? listed->ek_public : Bytes();
}

// An RSA key, the only kind whose numbers tell something.
Result<std::optional<endorsement::SubjectKey>> rsa_key_of(provisioning::RecordsView& records, const ScopeId& scope,
                                                          const RegistrationId& registration, ByteView ek_name) {
  TRY(const auto ek_public, enrolled_ek(records, scope, registration, ek_name));
  if (ek_public.empty()) return std::optional<endorsement::SubjectKey>();
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(ek_public));
  if (!std::holds_alternative<tpm::RsaParameters>(ek.area().parameters()))
    return std::optional<endorsement::SubjectKey>();
  return std::optional<endorsement::SubjectKey>(endorsement::RsaSubjectKey{to_bytes(ek.area().unique()), {}});
}

}  // namespace

Result<EkStanding> ek_standing_of(store::Snapshot& snapshot, const ek_trust::CertificateDesk& certificates,
                                  const ScopeId& scope, const RegistrationId& registration, ByteView ek_name) {
  EkStanding standing;
  TRY(const auto judged, certificates.find(snapshot.ek_trust(), scope, ek_name));
  if (!judged) {
    TRY(standing.key, rsa_key_of(snapshot.provisioning(), scope, registration, ek_name));
    return standing;
  }
  standing.key = judged->certificate.x509().key;
  const auto& [verified, refusal, missing] = judged->verdict;
  if (!verified) {
    standing.worth = Worth::kRefused;
    standing.detail = refusal ? to_string(*refusal) : "the EK certificate is not believed";
    return standing;
  }
  standing.worth = Worth::kTrusted;
  standing.detail = "the EK certificate leads to a root that is trusted here";
  standing.vendor = verified->vendor();
  standing.model = verified->certificate().tpm().model;
  standing.tpm_class = verified->tpm_class();
  return standing;
}

}  // namespace warifu::front

#include "front/certificates/applicants.h"

namespace warifu::front::certificates {

using lifecycle::Action;

Result<Applicant> Applicants::find(provisioning::RecordsView& records, verifier::RecordsView& attestations,
                                   const ScopeId& scope, const RegistrationId& registration) const {
  TRY(const auto ak, attestations.find_ak(scope, registration));
  if (ak) {
    auto attests = registrar_.may_attest(records, scope, registration, ByteView(ak->ek_name));
    if (attests) {
      TRY_STATUS(check_may(records, *attests, Action::kObtainCertificate));
      TRY(auto shortfall, find_certificate_shortfall(records, *attests, ak->ek_name, clock_.now()));
      return Applicant{*std::move(attests), ak->ek_name, std::move(shortfall)};
    }
    if (attests.error().kind == ErrorKind::kInternal) return attests.error();
  }
  TRY(auto statement, find_standing(records, scope, registration, Action::kObtainCertificate));
  return Applicant{std::move(statement)};
}

Status Applicants::may_use(provisioning::RecordsView& records, const ScopeId& scope,
                           const RegistrationId& registration) const {
  TRY(const auto statement, find_standing(records, scope, registration, Action::kUseCertificate));
  return {};
}

Status check_requested_names(const crypto::RequestedNames& names, const RegistrationId& registration) {
  if (names.common_name.empty()) return {};
  const auto wanted = RegistrationId::parse(names.common_name);
  if (wanted && *wanted == registration) return {};
  return refused("certificate.common-name",
                 "the common name of the request is not this device's registration ID: leave it out, or write that",
                 "subject");
}

}  // namespace warifu::front::certificates

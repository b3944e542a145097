#include "front/certificates/applicants.h"

namespace warifu::front::certificates {

using lifecycle::Action;

namespace {

// Else nobody can say: the database is away.
bool is_about_the_device(const Error& error) {
  return error.kind == ErrorKind::kUnauthenticated || error.kind == ErrorKind::kNotFound ||
         error.kind == ErrorKind::kRefused;
}

}  // namespace

device_ca::Ground ground_of(const provisioning::Statement& statement) {
  return {statement.enrollment_id, statement.group};
}

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

Status Applicants::may_use(provisioning::RecordsView& records, const device_ca::DeviceCertificate& certificate) const {
  const auto& [enrollment_id, group] = certificate.ground;
  TRY(const auto statement,
      find_statement(records, certificate.scope, certificate.registration_id, group, enrollment_id));
  if (!statement) {
    TRY_STATUS(find_standing(records, certificate.scope, certificate.registration_id, Action::kUseCertificate));
    return refused("certificate.revoked",
                   "this certificate was given under an enrollment that is gone: under the one that stands now the "
                   "device gets another");
  }
  TRY_STATUS(check_may(records, *statement, Action::kUseCertificate));
  if (certificate.protection != pki::KeyProtection::kTpm) return {};
  const auto attests =
      registrar_.may_attest(records, certificate.scope, certificate.registration_id, ByteView(certificate.ek_name));
  if (attests) return {};
  if (!is_about_the_device(attests.error())) return attests.error();
  Error error = refused("certificate.key-elsewhere",
                        "the TPM that has the key of this certificate is not enrolled for this device any more");
  error.operator_detail = to_operator_string(attests.error());
  return error;
}

device_ca::GroundStands Applicants::stands_in(provisioning::RecordsView& records, const ScopeId& scope) {
  return [&records, scope](const RegistrationId& registration, const device_ca::Ground& ground) -> Result<bool> {
    TRY(const auto statement, find_statement(records, scope, registration, ground.group, ground.enrollment_id));
    return statement.has_value();
  };
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

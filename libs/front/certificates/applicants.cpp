#include "front/certificates/applicants.h"

#include <fmt/format.h>

#include "provisioning/tpm_place.h"

namespace warifu::front::certificates {

using lifecycle::Action;

namespace {

Status check_ground(const device_ca::DeviceCertificate& certificate, const provisioning::Statement& standing) {
  if (certificate.ground == ground_of(standing)) return {};
  return refused("certificate.revoked",
                 "this certificate was given under an enrollment that is gone: under the one that stands now the "
                 "device gets another");
}

Error in_another_tpm(const device_ca::DeviceCertificate& certificate) {
  Error error = refused("certificate.key-elsewhere",
                        "the TPM that has the key of this certificate is not enrolled for this device any more");
  error.operator_detail = fmt::format("that TPM has the EK {}", to_hex(certificate.ek_name));
  return error;
}

// Whether the device of a registration is in the group that it had this under: who was taken off, or registers no more,
// is in none, although the group goes on.
Result<bool> is_in_group(provisioning::RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                         const device_ca::Ground& ground) {
  TRY(const auto device, records.find_device_of(scope, registration));
  if (device && device_ca::Ground{device->enrollment_id, device->group} == ground) return true;
  TRY(const auto bound, records.find_bound_ek(scope, registration));
  return bound && device_ca::Ground{bound->enrollment_id, bound->group} == ground;
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
  const ScopeId& scope = certificate.scope;
  const RegistrationId& registration = certificate.registration_id;
  const bool is_in_tpm = certificate.protection == pki::KeyProtection::kTpm;
  if (is_in_tpm) {
    TRY(const auto device, records.find_device_of(scope, registration));
    TRY(const auto bond, find_bond(records, scope, registration, certificate.ek_name, device));
    if (bond) {
      TRY_STATUS(check_may(*bond, device, Action::kUseCertificate));
      return check_ground(certificate, *bond);
    }
  }
  TRY(const auto standing, find_standing(records, scope, registration, Action::kUseCertificate));
  TRY_STATUS(check_ground(certificate, standing));
  if (is_in_tpm) return in_another_tpm(certificate);
  return {};
}

device_ca::GroundStands Applicants::stands_in(provisioning::RecordsView& records, const ScopeId& scope) {
  return [&records, scope](const RegistrationId& registration, const device_ca::Ground& ground) -> Result<bool> {
    if (ground.group) {
      // It came out of the group under the same name: to keep it out, or for other terms.
      TRY(const auto own, records.find_enrollment(scope, registration));
      if (own) return true;
    }
    TRY(const auto statement, find_statement(records, scope, registration, ground.group, ground.enrollment_id));
    if (!statement || !ground.group) return statement.has_value();
    return is_in_group(records, scope, registration, ground);
  };
}

device_ca::GroundStands Applicants::secret_stands_in(provisioning::RecordsView& records, const ScopeId& scope) {
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

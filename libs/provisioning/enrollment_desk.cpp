#include "provisioning/enrollment_desk.h"

#include <fmt/format.h>

#include "provisioning/sealed_keys.h"

namespace warifu::provisioning {
namespace {

// Enough to tell an operator which; there should be none.
constexpr std::size_t kSameEkShownMax = 5;

std::string subject_of(const RegistrationId& registration) {
  return fmt::format("enrollment:{}", registration.text());
}

}  // namespace

Result<CreatedEnrollment> EnrollmentDesk::create(Records& records, audit::Trail& trail, const ScopeId& scope,
                                                 const std::string& actor, const EnrollmentRequest& request) const {
  TRY(const auto device_id, DeviceId::parse(request.registration_id.text()));
  TRY(const auto device, records.find_device(scope, device_id));
  if (device) TRY_STATUS(may(device->standing, lifecycle::Action::kProvision));

  const auto name = request.ek.name();
  TRY(auto same_ek, records.find_enrollments_of_ek(scope, name.bytes(), kSameEkShownMax));
  const Timestamp now = clock_.now();
  Enrollment enrollment{scope,
                        request.registration_id,
                        Uuid::v7(now, entropy_),
                        to_bytes(request.ek.tpm2b()),
                        to_bytes(name.bytes()),
                        request.allow_software_keys,
                        now};
  TRY_STATUS(records.insert_enrollment(enrollment));
  TRY_STATUS(trail.record(scope, {actor, "enrollment.create", subject_of(request.registration_id),
                                  fmt::format(R"({{"ek_name":"{}","allow_software_keys":{},"same_ek_elsewhere":{}}})",
                                              name.text(), request.allow_software_keys, !same_ek.empty())}));
  return CreatedEnrollment{std::move(enrollment), std::move(same_ek)};
}

Status EnrollmentDesk::remove(Records& records, audit::Trail& trail, const ScopeId& scope, const std::string& actor,
                              const RegistrationId& registration) const {
  TRY(const auto enrollment, records.find_enrollment(scope, registration));
  if (!enrollment)
    return Error{ErrorKind::kNotFound, "enrollment.unknown", fmt::format("{} is not enrolled", registration.text())};
  TRY_STATUS(records.end_operations(scope, registration, clock_.now()));
  TRY_STATUS(records.remove_enrollment(scope, registration));
  return trail.record(scope, {actor, "enrollment.delete", subject_of(registration),
                              fmt::format(R"({{"ek_name":"{}"}})", to_hex(enrollment->ek_name))});
}

Result<SecretBytes> EnrollmentDesk::reveal_hub_key(Records& records, audit::Trail& trail, const ScopeId& scope,
                                                   const std::string& actor, const DeviceId& device_id) const {
  TRY(const auto device, records.find_device(scope, device_id));
  if (!device)
    return Error{ErrorKind::kNotFound, "device.unknown",
                 fmt::format("no device {} has registered here", device_id.text())};
  TRY_STATUS(trail.record(scope, {actor, "hub-key.read", fmt::format("device:{}", device_id.text()), "{}"}));
  return open_hub_key(envelope_key_, scope, device_id, device->sealed_hub_key);
}

}  // namespace warifu::provisioning

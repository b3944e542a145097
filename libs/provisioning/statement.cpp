#include "provisioning/statement.h"

#include <algorithm>

namespace warifu::provisioning {

Result<Statement> statement_of(const Enrollment& enrollment) {
  TRY(auto own_id, DeviceId::parse(enrollment.registration_id.text()));
  return Statement{enrollment.scope,
                   enrollment.registration_id,
                   enrollment.enrollment_id,
                   std::nullopt,
                   enrollment.device_id.value_or(own_id),
                   enrollment.terms,
                   enrollment.revision};
}

Result<Statement> statement_of(const EnrollmentGroup& group, const RegistrationId& registration) {
  TRY(auto device_id, DeviceId::parse(registration.text()));
  return Statement{group.scope,          registration, group.enrollment_id, group.group_id,
                   std::move(device_id), group.terms,  group.revision};
}

Status check_enabled(const Statement& statement) {
  if (statement.terms.enabled) return {};
  return Error{ErrorKind::kRefused, "enrollment.disabled",
               statement.group ? "the operator has disabled the enrollment group of this device"
                               : "the operator has disabled the enrollment of this device"};
}

Result<std::optional<Statement>> find_statement(RecordsView& records, const ScopeId& scope,
                                                const RegistrationId& registration, const std::optional<GroupId>& group,
                                                const Uuid& enrollment_id) {
  TRY(const auto own, records.find_enrollment(scope, registration));
  if (own && !group && own->enrollment_id == enrollment_id) {
    TRY(auto statement, statement_of(*own));
    return std::optional(std::move(statement));
  }
  if (own || !group) return std::optional<Statement>();
  TRY(const auto stored, records.find_group(scope, *group));
  if (!stored || stored->enrollment_id != enrollment_id) return std::optional<Statement>();
  TRY(auto statement, statement_of(*stored, registration));
  return std::optional(std::move(statement));
}

Status check_may(RecordsView& records, const Statement& statement, lifecycle::Action action) {
  TRY_STATUS(check_enabled(statement));
  TRY(const auto device, records.find_device_of(statement.scope, statement.registration));
  return check_may(statement, device, action);
}

Status check_may(const Statement& statement, const std::optional<Device>& device, lifecycle::Action action) {
  TRY_STATUS(check_enabled(statement));
  return may(device ? device->standing : lifecycle::Standing{}, action);
}

Result<Statement> find_standing(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                lifecycle::Action action) {
  TRY(const auto own, records.find_enrollment(scope, registration));
  std::optional<Statement> statement;
  if (own) {
    TRY(statement, statement_of(*own));
  } else {
    TRY(const auto device, records.find_device_of(scope, registration));
    if (device) {
      TRY(statement, find_statement(records, scope, registration, device->group, device->enrollment_id));
    }
  }
  if (!statement)
    return Error{ErrorKind::kNotFound, "enrollment.unknown", "this registration ID is not enrolled in this scope"};
  TRY_STATUS(check_may(records, *statement, action));
  return *std::move(statement);
}

namespace {

// Of a device that was taken back: its group, as long as that would take it again by its EK.
Result<std::optional<Uuid>> find_group_waiting_for(RecordsView& records, const Device& device) {
  using Found = std::optional<Uuid>;
  TRY(const auto listed, records.find_group_ek(device.scope, device.ek_name));
  if (!listed || listed->is_barred || listed->group != *device.group) return Found();
  if (listed->registration_id.value_or(device.registration_id) != device.registration_id) return Found();
  TRY(const auto group, records.find_group(device.scope, *device.group));
  return group && group->enrollment_id == listed->enrollment_id ? Found(group->enrollment_id) : Found();
}

Result<std::optional<Uuid>> find_group_of(RecordsView& records, const Device& device) {
  TRY(const auto group, records.find_group(device.scope, *device.group));
  const bool stands = group && group->enrollment_id == device.enrollment_id;
  return stands ? std::optional(group->enrollment_id) : std::nullopt;
}

}  // namespace

Result<std::vector<Enrolled>> list_enrolled(RecordsView& records, const ScopeId& scope,
                                            const RegistrationId& registration) {
  std::vector<Enrolled> all;
  TRY(const auto own, records.find_enrollment(scope, registration));
  if (own) {
    const auto* tpm = std::get_if<TpmAttestation>(&own->attestation);
    all.push_back({own->enrollment_id, tpm == nullptr ? Bytes() : tpm->ek_name});
  }
  TRY(const auto device, records.find_device_of(scope, registration));
  if (!device || !device->group) return all;
  TRY(const auto group,
      is_registered(*device) ? find_group_of(records, *device) : find_group_waiting_for(records, *device));
  if (group) all.push_back({*group, device->ek_name});
  return all;
}

bool is_registered(const Device& device) {
  return std::ranges::any_of(device.enrollment_id.bytes(), [](std::uint8_t byte) { return byte != 0; });
}

Status take_back(Records& records, Device device, Timestamp at) {
  TRY_STATUS(records.end_operations(device.scope, device.registration_id, at));
  TRY(const auto approval, records.find_approval(device.scope, device.registration_id));
  if (approval) TRY_STATUS(records.remove_approval(device.scope, device.registration_id));
  TRY(const auto nil, Uuid::from_bytes(Bytes(Uuid::kSize, 0)));
  device.enrollment_id = nil;
  device.operation_id = nil;
  device.sealed_hub_key.clear();
  device.updated_at = at;
  return records.put_device(device);
}

Result<bool> has_standing_statement(RecordsView& records, const Device& device) {
  TRY(const auto statement,
      find_statement(records, device.scope, device.registration_id, device.group, device.enrollment_id));
  return statement && statement->terms.enabled;
}

}  // namespace warifu::provisioning

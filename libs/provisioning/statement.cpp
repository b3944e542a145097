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
                   enrollment.terms};
}

Result<Statement> statement_of(const EnrollmentGroup& group, const RegistrationId& registration) {
  TRY(auto device_id, DeviceId::parse(registration.text()));
  return Statement{group.scope, registration, group.enrollment_id, group.group_id, std::move(device_id), group.terms};
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

bool is_registered(const Device& device) {
  return std::ranges::any_of(device.enrollment_id.bytes(), [](std::uint8_t byte) { return byte != 0; });
}

Result<bool> has_standing_statement(RecordsView& records, const Device& device) {
  TRY(const auto statement,
      find_statement(records, device.scope, device.registration_id, device.group, device.enrollment_id));
  return statement && statement->terms.enabled;
}

}  // namespace warifu::provisioning

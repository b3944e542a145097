#pragma once

#include <optional>
#include <vector>

#include "provisioning/records.h"

namespace warifu::provisioning {

// What stands for one device: its own enrollment, or its group as far as the two say the same.
struct Statement {
  ScopeId scope;
  RegistrationId registration;
  Uuid enrollment_id;
  std::optional<GroupId> group;  // absent: an enrollment of its own
  DeviceId device_id;
  Terms terms;
  Uuid revision;
};

Result<Statement> statement_of(const Enrollment& enrollment);
// As this registration has it.
Result<Statement> statement_of(const EnrollmentGroup& group, const RegistrationId& registration);

// kRefused "enrollment.disabled" if the operator has switched it off.
Status check_enabled(const Statement& statement);

// The statement under which something was proved, unless it is gone, was made anew, or an enrollment of the device's
// own has taken the place of its group. Disabled ones are found.
Result<std::optional<Statement>> find_statement(RecordsView& records, const ScopeId& scope,
                                                const RegistrationId& registration, const std::optional<GroupId>& group,
                                                const Uuid& enrollment_id);

// The statement that stands for a registration, whatever it proves itself by: its own enrollment, else the group that
// its device came under. kNotFound "enrollment.unknown"; kRefused "enrollment.disabled", and what may() says.
Result<Statement> find_standing(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                lifecycle::Action action);

// What a registration is under: a generation of an enrollment or group, and the TPM that is there.
struct Enrolled {
  Uuid enrollment_id;
  Bytes ek_name;  // empty: no TPM
};
// First what stands for a registration, also when it may do nothing. Then the group of its device, where an enrollment
// of its own has taken that one's place: it stands again when the enrollment goes. A device that was taken back is
// under its group still, while that has its EK.
Result<std::vector<Enrolled>> list_enrolled(RecordsView& records, const ScopeId& scope,
                                            const RegistrationId& registration);

// The last two of that.
Status check_may(RecordsView& records, const Statement& statement, lifecycle::Action action);
// The same, of the registration's device as it was read before.
Status check_may(const Statement& statement, const std::optional<Device>& device, lifecycle::Action action);

// False after take_back(), until the device comes again: it is under no enrollment.
bool is_registered(const Device& device);

// Takes back what the device was given: its operations and approval end, and it is under no enrollment until it comes
// again.
Status take_back(Records& records, Device device, Timestamp at);

// Whether what the device was given is good still: the statement that it came under stands and is enabled.
Result<bool> has_standing_statement(RecordsView& records, const Device& device);

}  // namespace warifu::provisioning

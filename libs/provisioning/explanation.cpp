#include "provisioning/explanation.h"

namespace warifu::provisioning {
namespace {

// The group of the last operation, of the device, of the wish, or of the EK that is bound to the ID, in this order.
Result<std::optional<EnrollmentGroup>> find_group_of(RecordsView& records, const ScopeId& scope,
                                                     const RegistrationStory& story) {
  std::optional<GroupId> id;
  if (story.operation) id = story.operation->group;
  if (!id && story.device) id = story.device->group;
  if (!id && story.approval) id = story.approval->group;
  if (id) return records.find_group(scope, *id);
  TRY(const auto bound, records.find_bound_ek(scope, story.registration_id));
  if (!bound) return std::optional<EnrollmentGroup>();
  TRY(auto group, records.find_group(scope, bound->group));
  // The list of a group that was made anew is empty.
  const bool is_listed = group && group->enrollment_id == bound->enrollment_id;
  return is_listed ? std::move(group) : std::optional<EnrollmentGroup>();
}

// What the attestation of a device lacks, if its operation waits.
Result<std::optional<AttestationShortfall>> find_lack(RecordsView& records, const std::optional<Operation>& operation,
                                                      const std::optional<Device>& device, Timestamp now) {
  if (!operation || operation->state != Operation::State::kWaiting || operation->ended_at)
    return std::optional<AttestationShortfall>();
  TRY(const auto statement, find_statement(records, operation->scope, operation->registration_id, operation->group,
                                           operation->enrollment_id));
  if (!statement) return std::optional<AttestationShortfall>();
  return find_shortfall(records, *statement, {operation->scope, operation->registration_id, operation->ek_name, device},
                        now);
}

bool is_known(const RegistrationStory& story) {
  return story.enrollment || story.group || story.device || story.operation || story.approval ||
         !story.alerts.empty() || !story.attempts.empty();
}

}  // namespace

Result<std::optional<RegistrationStory>> tell_story(RecordsView& records, const ScopeId& scope,
                                                    const RegistrationId& registration, Timestamp now) {
  RegistrationStory story{.registration_id = registration};
  TRY(story.enrollment, records.find_enrollment(scope, registration));
  TRY(story.device, records.find_device_of(scope, registration));
  TRY(story.operation, records.find_open_operation(scope, registration, Operation::State::kWaiting));
  if (!story.operation) {
    TRY(story.operation, records.find_open_operation(scope, registration, Operation::State::kAssigned));
  }
  if (!story.operation && story.device) {
    TRY(story.operation, records.find_operation(scope, story.device->operation_id));
  }
  TRY(story.approval, records.find_approval(scope, registration));
  if (!story.enrollment) {
    TRY(story.group, find_group_of(records, scope, story));
  }
  TRY(story.attestation, find_lack(records, story.operation, story.device, now));
  TRY(story.alerts, records.list_alerts_of(scope, registration));
  TRY(story.attempts, records.list_attempts(scope, registration, RegistrationStory::kAttemptsMax));
  if (!is_known(story)) return std::optional<RegistrationStory>();
  return std::optional(std::move(story));
}

Result<std::vector<WaitingRegistration>> list_waiting(RecordsView& records, const ScopeId& scope,
                                                      const Page<RegistrationId>& page, Timestamp now) {
  std::vector<WaitingRegistration> all;
  TRY(const auto ids, records.list_waiting_registrations(scope, page));
  for (const RegistrationId& id : ids) {
    TRY(const auto operation, records.find_open_operation(scope, id, Operation::State::kWaiting));
    if (!operation) continue;
    TRY(const auto wish, records.find_approval(scope, id));
    TRY(const auto device, records.find_device_of(scope, id));
    TRY(auto lack, find_lack(records, operation, device, now));
    const bool needs_approval = wish && !wish->approved_at && wish->ek_name == operation->ek_name;
    all.push_back({*operation, needs_approval, std::move(lack)});
  }
  return all;
}

}  // namespace warifu::provisioning

// What a story comes down to.
#include <fmt/format.h>

#include "provisioning/explanation.h"
#include "provisioning/refusal_advice.h"

namespace warifu::provisioning {
namespace {

const Attempt* last_attempt(const RegistrationStory& story) {
  return story.attempts.empty() ? nullptr : &story.attempts.front();
}

// What stands for the registration now.
const Uuid* generation_of(const RegistrationStory& story) {
  if (story.enrollment) return &story.enrollment->enrollment_id;
  return story.group ? &story.group->enrollment_id : nullptr;
}

bool is_enabled(const RegistrationStory& story) {
  return story.enrollment ? story.enrollment->terms.enabled : story.group->terms.enabled;
}

bool is_assigned(const RegistrationStory& story) {
  const auto* generation = generation_of(story);
  return story.device && generation != nullptr && story.device->enrollment_id == *generation;
}

std::string assignment_of(const RegistrationStory& story) {
  return fmt::format("{} is assigned to {} as the device {} since {}", story.registration_id.text(),
                     story.device->assigned_hub, story.device->device_id.text(), to_rfc3339(story.device->updated_at));
}

std::string refusal_of(const RegistrationStory& story, const Attempt& attempt) {
  const std::string what = fmt::format("came from {} at {} and was refused: {}. {}", attempt.peer_address,
                                       to_rfc3339(attempt.at), attempt.message, advice_on(attempt.code));
  if (is_assigned(story))
    return fmt::format("{}. Later somebody with this registration ID {}", assignment_of(story), what);
  return fmt::format("{} {}", story.registration_id.text(), what);
}

// When an operator wrote what stands for it.
Timestamp stated_at(const RegistrationStory& story) {
  return story.enrollment ? story.enrollment->updated_at : story.group->updated_at;
}

std::string refusal_before_change(const RegistrationStory& story, const Attempt& attempt) {
  return fmt::format(
      "{} has not come again since its {} was changed at {}. Before that it came from {} at {} and was "
      "refused: {}.",
      story.registration_id.text(), story.enrollment ? "enrollment" : "enrollment group", to_rfc3339(stated_at(story)),
      attempt.peer_address, to_rfc3339(attempt.at), attempt.message);
}

std::string challenge_of(const RegistrationStory& story, const Attempt& attempt) {
  return fmt::format(
      "{} was given a challenge at {} ({}) and has not answered it. If that is longer ago than a minute, its TPM could "
      "not open it or the device was cut off: look at its log for errors of the TPM (the key at 0x81000001, a password "
      "on the endorsement or storage hierarchy, the lockout) and at its network.",
      is_assigned(story) ? assignment_of(story) + ", and since then" : story.registration_id.text(),
      to_rfc3339(attempt.at), attempt.peer_address);
}

std::string without_statement(const RegistrationStory& story) {
  const std::string& id = story.registration_id.text();
  const auto* last = last_attempt(story);
  const std::string tried =
      last == nullptr ? ""
                      : fmt::format(" It came last from {} at {}{}{}.", last->peer_address, to_rfc3339(last->at),
                                    last->code.empty() ? "" : " and was refused: ", last->message);
  if (story.device)
    return fmt::format(
        "{} was assigned to {} at {}, and its enrollment is gone: what it was given is void. Enroll it "
        "again if it is to come back.{}",
        id, story.device->assigned_hub, to_rfc3339(story.device->updated_at), tried);
  if (last == nullptr || last->code.empty())
    return fmt::format("{} is not enrolled: if it is yours, enroll it (`warifu enrollment create`).{}", id, tried);
  // No enrollment of its own: what refused it was a group, or that there is none.
  return fmt::format("{} has no enrollment of its own.{} {}", id, tried, advice_on(last->code));
}

// Of a TPM without an accepted EK certificate: nothing but the operator's word says that it is his.
std::string uncertified_wish_of(const RegistrationStory& story) {
  const std::string& id = story.registration_id.text();
  return fmt::format(
      "{} waits for your decision since {}: its TPM proved that it has the EK {}, and shows no EK certificate that its "
      "group accepts, so nothing says which TPM that is. If you know that EK, from the device itself or its maker, "
      "`warifu "
      "approval approve {} --ek-name {} --srk-name {}`; otherwise `warifu approval reject {}`.",
      id, to_rfc3339(story.approval->requested_at), to_hex(story.approval->ek_name), id,
      to_hex(story.approval->ek_name), to_hex(story.approval->srk_name), id);
}

std::string approval_of(const RegistrationStory& story) {
  if (story.approval->is_uncertified) return uncertified_wish_of(story);
  const std::string& id = story.registration_id.text();
  return fmt::format(
      "{} waits for your decision since {}: its TPM has the EK {} with the SRK {} now, which is not what is "
      "known of it. If you or its user changed it (TPM2_Clear, a new board), `warifu approval approve "
      "{} --ek-name {} --srk-name {}`; otherwise `warifu approval reject {}`.",
      id, to_rfc3339(story.approval->requested_at), to_hex(story.approval->ek_name), to_hex(story.approval->srk_name),
      id, to_hex(story.approval->ek_name), to_hex(story.approval->srk_name), id);
}

std::string attestation_of(const RegistrationStory& story) {
  const auto& lack = *story.attestation;
  const Terms& terms = story.enrollment ? story.enrollment->terms : story.group->terms;
  const std::string detail = lack.operator_detail.empty() ? "" : fmt::format(" ({})", lack.operator_detail);
  return fmt::format(
      "{} proved who it is at {} and waits: the terms of its {} demand an attestation of \"{}\" first, and {}{}. {}",
      story.registration_id.text(), to_rfc3339(story.operation->created_at),
      story.enrollment ? "enrollment" : "enrollment group",
      terms.required_attestation ? to_string(*terms.required_attestation) : "", lack.message, detail,
      advice_on(lack.code));
}

std::string disabled(const RegistrationStory& story) {
  const std::string& id = story.registration_id.text();
  if (story.enrollment)
    return fmt::format("The enrollment of {} is disabled, so it is refused: `warifu enrollment enable {}` lets it in.",
                       id, id);
  const std::string& group = story.group->group_id.text();
  return fmt::format(
      "The enrollment group {} of {} is disabled, so it is refused: `warifu enrollment-group update {} "
      "--enabled` lets all its devices in.",
      group, id, group);
}

std::string never_came(const RegistrationStory& story) {
  return fmt::format(
      "{} is enrolled since {} and nobody came under this ID in the last days: see that the device is on, "
      "that it reaches this server, and that its ID scope and registration ID are spelled as here.",
      story.registration_id.text(), to_rfc3339(stated_at(story)));
}

std::string assigned_before(const RegistrationStory& story) {
  return fmt::format(
      "{} was assigned to {} at {}, and was enrolled anew since: what it was given is void, and it has to "
      "register again. Restart it if it does not by itself.",
      story.registration_id.text(), story.device->assigned_hub, to_rfc3339(story.device->updated_at));
}

}  // namespace

std::string verdict_of(const RegistrationStory& story) {
  if (generation_of(story) == nullptr) return without_statement(story);
  if (!is_enabled(story)) return disabled(story);
  if (story.device) {
    const auto standing = may(story.device->standing, lifecycle::Action::kProvision);
    if (!standing)
      return fmt::format("{} is refused: {}. End that, if it is to come back.", story.registration_id.text(),
                         standing.error().message);
  }
  if (story.approval && !story.approval->approved_at) return approval_of(story);
  if (story.attestation) return attestation_of(story);
  const auto* last = last_attempt(story);
  // What a later assignment or a change by an operator has settled stands in the way no longer.
  if (last != nullptr && is_assigned(story) && last->at < story.device->updated_at) last = nullptr;
  if (last != nullptr && !last->code.empty() && last->at < stated_at(story)) return refusal_before_change(story, *last);
  if (last != nullptr && !last->code.empty()) return refusal_of(story, *last);
  if (last != nullptr && last->stage == "challenge") return challenge_of(story, *last);
  if (story.approval)
    return fmt::format("{} is approved since {}, and is assigned as soon as it asks again.",
                       story.registration_id.text(), to_rfc3339(*story.approval->approved_at));
  if (!story.device) return never_came(story);
  if (!is_assigned(story)) return assigned_before(story);
  if (story.operation && !story.operation->ended_at)
    return fmt::format("{}, but has not fetched that yet: it does so as soon as it asks again.", assignment_of(story));
  return fmt::format("All is well: {}.", assignment_of(story));
}

}  // namespace warifu::provisioning

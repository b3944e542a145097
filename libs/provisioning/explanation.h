#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provisioning/records.h"

namespace warifu::provisioning {

// Everything that is known of one registration ID, for the operator who asks where its device is.
struct RegistrationStory {
  // Of the newest attempts.
  static constexpr std::size_t kAttemptsMax = 20;

  RegistrationId registration_id;
  std::optional<Enrollment> enrollment = {};
  std::optional<EnrollmentGroup> group = {};  // that it came under, without an enrollment of its own
  std::optional<Device> device = {};
  // The open one, else the one that assigned it last, for as long as it is kept.
  std::optional<Operation> operation = {};
  std::optional<Approval> approval = {};
  std::vector<Alert> alerts = {};
  std::vector<Attempt> attempts = {};  // the newest first
};

// nullopt if nobody enrolled this ID and nobody came under it.
Result<std::optional<RegistrationStory>> tell_story(RecordsView& records, const ScopeId& scope,
                                                    const RegistrationId& registration);

// What stands between the device and its assignment and what to do about it, or that all is well: a sentence or two for
// an operator. It may name enrolled values, so it is for nobody else.
std::string verdict_of(const RegistrationStory& story);

}  // namespace warifu::provisioning

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provisioning/attestation_demand.h"

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
  std::optional<AttestationShortfall> attestation = {};  // why the operation waits, beside the approval
  std::vector<Alert> alerts = {};
  std::vector<Attempt> attempts = {};  // the newest first
};

// nullopt if nobody enrolled this ID and nobody came under it.
Result<std::optional<RegistrationStory>> tell_story(RecordsView& records, const ScopeId& scope,
                                                    const RegistrationId& registration, Timestamp now);

// A registration that waits for its assignment, and for what.
struct WaitingRegistration {
  Operation operation;                              // the newest that waits
  bool needs_approval = false;                      // an operator has not decided
  std::optional<AttestationShortfall> attestation;  // what it lacks
};
// By registration ID.
Result<std::vector<WaitingRegistration>> list_waiting(RecordsView& records, const ScopeId& scope,
                                                      const Page<RegistrationId>& page, Timestamp now);

// What stands between the device and its assignment and what to do about it, or that all is well: a sentence or two for
// an operator. It may name enrolled values, so it is for nobody else.
std::string verdict_of(const RegistrationStory& story);

}  // namespace warifu::provisioning

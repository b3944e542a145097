#pragma once

#include <string_view>

#include "base/result.h"

namespace warifu::lifecycle {

// Where a device is in its life. Only `disposed` is terminal.
enum class State {
  kManufactured,
  kShipped,
  kEnrolled,
  kProvisioned,
  kActive,
  kRetiring,
  kRetired,
  kTransferred,
  kDisposed,
};

// What keeps a device from acting for now, whatever its state.
enum class Hold { kNone, kSuspended, kQuarantined, kPendingApproval };

// What is known of the device beyond its credentials. One that never came stands as its enrollment says: enrolled, no
// hold.
struct Standing {
  State state = State::kEnrolled;
  Hold hold = Hold::kNone;
  friend bool operator==(const Standing&, const Standing&) = default;
};

// What a device asks to do.
enum class Action {
  kProvision,             // ask for a challenge, open an operation
  kCollectAssignment,     // fetch the result of an operation, its hub key included
  kDepositEscrow,         // leave an encrypted package for its operator; it gets nothing for it
  kAttest,                // show what it runs; it gets nothing for it either
  kObtainCertificate,     // get a certificate, or another one
  kUseCertificate,        // show a certificate of ours, for anything else
  kObtainApplicationKey,  // get a key for its applications, or show that it has it
};

// The one question that every door asks before it acts for a device. The error says which state or hold forbids it; it
// is for the operator: a device is told the code only.
Status may(const Standing& standing, Action action);

std::string_view to_string(State state);
std::string_view to_string(Hold hold);
std::string_view to_string(Action action);
Result<State> parse_state(std::string_view text);
Result<Hold> parse_hold(std::string_view text);

}  // namespace warifu::lifecycle

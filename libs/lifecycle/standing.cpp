#include "lifecycle/standing.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace warifu::lifecycle {
namespace {

constexpr std::array kStates = {
    std::pair{State::kManufactured, std::string_view("manufactured")},
    std::pair{State::kShipped, std::string_view("shipped")},
    std::pair{State::kEnrolled, std::string_view("enrolled")},
    std::pair{State::kProvisioned, std::string_view("provisioned")},
    std::pair{State::kActive, std::string_view("active")},
    std::pair{State::kRetiring, std::string_view("retiring")},
    std::pair{State::kRetired, std::string_view("retired")},
    std::pair{State::kTransferred, std::string_view("transferred")},
    std::pair{State::kDisposed, std::string_view("disposed")},
};
constexpr std::array kHolds = {
    std::pair{Hold::kNone, std::string_view("none")},
    std::pair{Hold::kSuspended, std::string_view("suspended")},
    std::pair{Hold::kQuarantined, std::string_view("quarantined")},
    std::pair{Hold::kPendingApproval, std::string_view("pending-approval")},
};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [candidate, name] : table)
    if (candidate == value) return name;
  return "unknown";
}

// The states in which a device may provision itself: it is enrolled, or it comes again.
bool may_provision(State state) {
  switch (state) {
    case State::kEnrolled:
    case State::kProvisioned:
    case State::kActive:
    case State::kTransferred:
      return true;
    case State::kManufactured:
    case State::kShipped:
    case State::kRetiring:
    case State::kRetired:
    case State::kDisposed:
      return false;
  }
  return false;
}

// A deposit is for the operator: a device on hold is the one whose TPM he may have to take back, and one that retires
// is the one that he must clear. One that is retired or disposed is not his to open any more, and one that was
// transferred holds a key of its former owner's time until it provisions itself again.
bool may_deposit(State state) {
  return state == State::kProvisioned || state == State::kActive || state == State::kRetiring;
}

// What a device runs is asked most of all when it stands on hold. Who is retired or disposed is nobody's any more.
bool may_attest(State state) {
  return may_provision(state) || state == State::kRetiring;
}

Error refused_state(State state, Action action) {
  return {ErrorKind::kRefused, "device.state",
          fmt::format("a device that is {} may not {}", to_string(state), to_string(action))};
}

}  // namespace

Status may(const Standing& standing, Action action) {
  if (action == Action::kDepositEscrow) {
    if (may_deposit(standing.state)) return {};
    return refused_state(standing.state, action);
  }
  if (action == Action::kAttest) {
    if (may_attest(standing.state)) return {};
    return refused_state(standing.state, action);
  }
  if (standing.hold != Hold::kNone)
    return Error{ErrorKind::kRefused, "device.hold",
                 fmt::format("the device is on hold ({}): it may not {}", to_string(standing.hold), to_string(action))};
  if (!may_provision(standing.state)) return refused_state(standing.state, action);
  return {};
}

std::string_view to_string(State state) {
  return name_in(kStates, state);
}

std::string_view to_string(Hold hold) {
  return name_in(kHolds, hold);
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kProvision:
      return "provision itself";
    case Action::kCollectAssignment:
      return "collect its assignment";
    case Action::kDepositEscrow:
      return "deposit an escrow package";
    case Action::kAttest:
      return "attest";
    case Action::kObtainCertificate:
      return "get a certificate";
    case Action::kUseCertificate:
      return "use its certificate";
    case Action::kObtainApplicationKey:
      return "get a key for its applications";
  }
  return "act";
}

Result<State> parse_state(std::string_view text) {
  for (const auto& [state, name] : kStates)
    if (name == text) return state;
  return invalid_input("device.state.name", fmt::format("\"{}\" is no lifecycle state", text));
}

Result<Hold> parse_hold(std::string_view text) {
  for (const auto& [hold, name] : kHolds)
    if (name == text) return hold;
  return invalid_input("device.hold.name", fmt::format("\"{}\" is no hold", text));
}

}  // namespace warifu::lifecycle

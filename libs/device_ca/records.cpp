#include "device_ca/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace warifu::device_ca {
namespace {

using crypto::RevocationReason;

constexpr std::array kStates = {
    std::pair{State::kIssuing, std::string_view("issuing")}, std::pair{State::kInactive, std::string_view("inactive")},
    std::pair{State::kActive, std::string_view("active")},   std::pair{State::kHeld, std::string_view("held")},
    std::pair{State::kRevoked, std::string_view("revoked")},
};
constexpr std::array kDoors = {
    std::pair{Door::kNative, std::string_view("native")},
    std::pair{Door::kEst, std::string_view("est")},
    std::pair{Door::kCmp, std::string_view("cmp")},
};

constexpr std::array kReasons = {
    std::pair{RevocationReason::kUnspecified, std::string_view("unspecified")},
    std::pair{RevocationReason::kKeyCompromise, std::string_view("keyCompromise")},
    std::pair{RevocationReason::kAffiliationChanged, std::string_view("affiliationChanged")},
    std::pair{RevocationReason::kSuperseded, std::string_view("superseded")},
    std::pair{RevocationReason::kCessationOfOperation, std::string_view("cessationOfOperation")},
    std::pair{RevocationReason::kPrivilegeWithdrawn, std::string_view("privilegeWithdrawn")},
};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  const auto* row = std::ranges::find(table, value, [](const auto& one) { return one.first; });
  return row == table.end() ? "unknown" : row->second;
}

template <class Value, class Table>
Result<Value> value_in(const Table& table, std::string_view name, std::string_view code) {
  const auto* row = std::ranges::find(table, name, [](const auto& one) { return one.second; });
  if (row != table.end()) return row->first;
  return invalid_input(code, fmt::format("\"{}\" is none that is known", name));
}

}  // namespace

std::string_view to_string(State state) {
  return name_in(kStates, state);
}

Result<State> parse_state(std::string_view name) {
  return value_in<State>(kStates, name, "certificate.state");
}

std::string_view to_string(Door door) {
  return name_in(kDoors, door);
}

Result<Door> parse_door(std::string_view name) {
  return value_in<Door>(kDoors, name, "certificate.door");
}

bool is_reason_for_a_device(RevocationReason reason) {
  return std::ranges::any_of(kReasons, [&](const auto& one) { return one.first == reason; });
}

std::string_view reason_name(RevocationReason reason) {
  const auto* found = std::ranges::find(kReasons, reason, [](const auto& one) { return one.first; });
  return found == kReasons.end() ? "other" : found->second;
}

Result<RevocationReason> parse_reason(std::string_view name) {
  const auto* found = std::ranges::find(kReasons, name, [](const auto& one) { return one.second; });
  if (found != kReasons.end()) return found->first;
  std::string known;
  for (const auto& [reason, text] : kReasons)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
  return invalid_input("certificate.reason", fmt::format("expected one of {}, not \"{}\"", known, name), "reason");
}

}  // namespace warifu::device_ca

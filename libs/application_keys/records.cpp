#include "application_keys/records.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace warifu::application_keys {
namespace {

constexpr std::array kKeyStates = {
    std::pair{State::kPending, std::string_view("pending")},
    std::pair{State::kActive, std::string_view("active")},
    std::pair{State::kSuperseded, std::string_view("superseded")},
    std::pair{State::kRevoked, std::string_view("revoked")},
};

}  // namespace

std::string_view to_string(State state) {
  for (const auto& [candidate, name] : kKeyStates)
    if (candidate == state) return name;
  return "unknown";
}

Result<State> parse_state(std::string_view name) {
  for (const auto& [state, text] : kKeyStates)
    if (text == name) return state;
  return invalid_input("application-key.state-name", fmt::format("\"{}\" is no state of a key", name));
}

}  // namespace warifu::application_keys

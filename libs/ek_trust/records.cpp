#include "ek_trust/records.h"

#include <fmt/format.h>

namespace warifu::ek_trust {

std::string_view to_string(Role role) {
  return role == Role::kRoot ? "root" : "intermediate";
}

Result<Role> parse_role(std::string_view text) {
  if (text == "root") return Role::kRoot;
  if (text == "intermediate") return Role::kIntermediate;
  return invalid_input("ek_root.role", fmt::format("\"{}\" is no role: root or intermediate", text));
}

}  // namespace warifu::ek_trust

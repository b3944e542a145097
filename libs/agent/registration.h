#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/state_files.h"

namespace warifu::agent {

// What the last provisioning brought, for people and other programs. The TCB holds what is signed with: this file
// decides nothing.
struct Registration {
  std::string assigned_hub;
  std::string device_id;
  std::string id_scope;
  std::string registration_id;
  std::string assigned_at;  // RFC 3339, by the device's clock

  friend bool operator==(const Registration&, const Registration&) = default;
};

inline constexpr std::string_view kRegistrationFile = "registration.json";

// docs/programs/warifu-agent.md, "State"
std::string to_json(const Registration& registration);
// "state.form", "json.…"
Result<Registration> parse_registration(std::string_view json);

Status save(StateFiles& files, const Registration& registration);
// nullopt when there is none, or none that can be read: `note` says so then.
Result<std::optional<Registration>> load_registration(StateFiles& files, std::string& note);

}  // namespace warifu::agent

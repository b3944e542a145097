#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace warifu::process {

struct User {
  std::uint32_t user;   // uid
  std::uint32_t group;  // gid of his own group
};

// By name, or by number (which need not be in the user database; the group has the same number then). kNotFound
// "user.unknown".
Result<User> find_user(std::string_view name_or_uid);

bool runs_as_root();

// Becomes `user`, with no supplementary group and no way back, and makes sure of it. Only root can.
// kUnavailable "user.change".
Status become(const User& user);

}  // namespace warifu::process

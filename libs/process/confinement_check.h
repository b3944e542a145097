#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "process/confinement.h"

namespace warifu::process {

// One thing that a program which was taken over would do next.
struct ForbiddenTry {
  std::string_view what;
  bool is_possible;  // without the confinement, on this machine, as this user
  bool is_refused;   // with it
};

// "refused", "refused (and not possible before)" or "WENT THROUGH".
std::string_view to_string(const ForbiddenTry& one);

// Tries each, in children of this process that end with it: once as it is now and once under `confinement`. So an
// operator sees what it does on this kernel. Before any thread is started. kUnavailable "confine.check" when a child
// cannot be started, and what confine() says.
Result<std::vector<ForbiddenTry>> try_forbidden(const Confinement& confinement);

}  // namespace warifu::process

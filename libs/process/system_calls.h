#pragma once

#include "base/result.h"
#include "process/confinement.h"

namespace warifu::process {

// The part of confine() that is about system calls (seccomp(2)). kUnavailable "confine.seccomp".
Status restrict_system_calls(const Confinement& confinement);

}  // namespace warifu::process

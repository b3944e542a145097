#pragma once

#include "base/result.h"
#include "process/confinement.h"

namespace warifu::process {

// The part of confine() that is about files (landlock(7)): returns the version that is in use, 0 for none.
// kUnavailable "confine.landlock".
Result<int> restrict_files(const Confinement& confinement);

}  // namespace warifu::process

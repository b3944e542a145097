#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::process {

// Runs a program (the first word, found by its path) to its end, without a shell and with no input, and returns its
// exit code; 128 plus the signal's number if one ended it. Blocks. kUnavailable "process.start" if it cannot be
// started.
Result<int> run(const std::vector<std::string>& command);

// The path of the program that is running.
Result<std::string> own_path();

}  // namespace warifu::process

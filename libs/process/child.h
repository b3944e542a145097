#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::process {

// Runs a program (the first word, found by its path) to its end, without a shell, with no input and with no open file
// but standard output and standard error, and returns its exit code; 128 plus the signal's number if one ended it.
// Blocks. kUnavailable "process.start" if it cannot be started.
Result<int> run(const std::vector<std::string>& command);

// The program that is running, also when its file was replaced or removed since it was started.
constexpr const char* kThisProgram = "/proc/self/exe";

}  // namespace warifu::process

#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace warifu::cli {

// The time that an option names, like 2026-12-01T00:00:00Z. kInvalidInput "option.time".
Result<Timestamp> time_of(const std::string& text, const char* option);

// How long, in minutes, hours, days or weeks: "90m", "12h", "14d", "2w"; not 0, and at most ten years. kInvalidInput
// "option.duration".
Result<std::chrono::seconds> duration_of(const std::string& text, const char* option);

}  // namespace warifu::cli

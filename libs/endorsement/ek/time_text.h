#pragma once

#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace warifu::endorsement {

// A time in UTC to the second, like 2026-11-28T12:00:00Z. kInvalidInput "endorsement.time".
Result<Timestamp> parse_time_text(std::string_view text);

}  // namespace warifu::endorsement

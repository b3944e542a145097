#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace warifu {

// A time in UTC as RFC 3339 writes it with a Z, like 2026-12-01T00:00:00Z or 2026-12-01T00:00:00.25Z (at most six
// digits of a second); nullopt for everything else, leap seconds too.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace warifu

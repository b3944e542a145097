#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace warifu::endorsement {

// "2027-01-31": the end of that day in UTC. nullopt: anything else.
std::optional<Timestamp> end_of_day(std::string_view text);

}  // namespace warifu::endorsement

#include "endorsement/flaws/day.h"

#include <string>

#include "endorsement/ek/time_text.h"

namespace warifu::endorsement {

std::optional<Timestamp> end_of_day(std::string_view text) {
  const auto time = parse_time_text(std::string(text) + "T23:59:59Z");
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace warifu::endorsement

#include "base/time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace warifu {

std::string to_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = (time - seconds).count();
  // Not system_clock::to_time_t(), which counts in nanoseconds: those of 64 bits end in the year 2262.
  const auto unix_time = static_cast<std::time_t>(seconds.time_since_epoch().count());
  return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(unix_time), micros);
}

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemMonotonicClock::now() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace warifu

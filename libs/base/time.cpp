#include "base/time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace warifu {

std::string to_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = (time - seconds).count();
  // Not by system_clock::to_time_t(): it goes by nanoseconds, which end in 2262, and certificates live until 9999.
  const std::time_t whole = seconds.time_since_epoch().count();
  return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(whole), micros);
}

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemMonotonicClock::now() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace warifu

#include "base/time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace warifu {

std::string to_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = (time - seconds).count();
  return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), micros);
}

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemMonotonicClock::now() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace warifu

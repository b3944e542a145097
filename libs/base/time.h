#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace warifu {

// UTC, in microseconds: what is stored and compared everywhere.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// RFC 3339 with microseconds, like 2026-11-21T21:57:38.000123Z.
std::string to_rfc3339(Timestamp time);

inline std::int64_t to_micros(Timestamp time) {
  return time.time_since_epoch().count();
}
inline Timestamp from_micros(std::int64_t micros) {
  return Timestamp(std::chrono::microseconds(micros));
}
// As local protocols have it: whole seconds since 1970, rounded down, and 0 before it.
inline std::uint64_t to_unix_seconds(Timestamp time) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds);
}
// The end of the year 9999: later times fit neither into certificates (RFC 5280 §4.1.2.5.2) nor into RFC 3339.
inline constexpr std::uint64_t kUnixSecondsMax = 253'402'300'799;

// The only way to the time, so that a test can hold it. The real one is SystemClock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

// Time that only goes forward, from a start that means nothing: for intervals. The real one is SystemMonotonicClock.
class MonotonicClock {
 public:
  virtual ~MonotonicClock() = default;
  virtual std::chrono::nanoseconds now() const = 0;
};

class SystemMonotonicClock final : public MonotonicClock {
 public:
  std::chrono::nanoseconds now() const override;
};

}  // namespace warifu

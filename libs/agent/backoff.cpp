#include "agent/backoff.h"

#include <algorithm>
#include <array>

namespace warifu::agent {

bool Backoff::may_pass(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kThrottled;
}

std::chrono::milliseconds Backoff::next(const Error& error, std::optional<std::chrono::seconds> retry_after) {
  if (!may_pass(error)) return random_between(kRefused * 3 / 4, kRefused * 5 / 4);
  // Beyond this many doublings it is the longest anyway.
  constexpr unsigned kDoublingsMax = 16;
  const auto bound = std::min(kLongest, kFirst * (1U << std::min(failures_, kDoublingsMax)));
  ++failures_;
  const auto wait = random_between(kShortest, bound);
  if (!retry_after) return wait;
  // All that were told the same time shall not come at the same time.
  return std::chrono::milliseconds(std::clamp(*retry_after, std::chrono::seconds(0), kRetryAfterMax)) + wait;
}

std::chrono::milliseconds Backoff::random_between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
  std::array<std::uint8_t, 8> bytes{};
  entropy_.fill(bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes)
    number = number << 8 | byte;
  const auto range = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + std::chrono::milliseconds(number % range);
}

}  // namespace warifu::agent

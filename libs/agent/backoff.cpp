#include "agent/backoff.h"

#include <algorithm>
#include <array>

#include "agent/refusal.h"

namespace warifu::agent {

std::chrono::milliseconds Backoff::next(const Error& error, std::optional<std::chrono::seconds> retry_after) {
  if (needs_an_operator(error)) return random_between(kRefused * 3 / 4, kRefused * 5 / 4);
  // Beyond this many doublings it is the longest anyway.
  constexpr unsigned kDoublingsMax = 16;
  const auto bound = std::min(kLongest, kFirst * (1U << std::min(failures_, kDoublingsMax)));
  ++failures_;
  const auto wait = random_between(kShortest, bound);
  if (!retry_after) return wait;
  // All that were told the same time shall not come at the same time.
  return std::chrono::milliseconds(std::clamp(*retry_after, std::chrono::seconds(0), kRetryAfterMax)) + wait;
}

std::chrono::milliseconds Backoff::around(std::chrono::milliseconds period) {
  return random_between(period * 9 / 10, period * 11 / 10);
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

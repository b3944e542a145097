#include "webhooks/backoff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "webhooks/limits.h"

namespace warifu::webhooks {

using std::chrono::microseconds;

microseconds backoff(std::int64_t failures, std::uint32_t random) {
  constexpr int kDoublingsMax = 12;  // 4,096 s: above the longest
  const auto doublings = std::clamp<std::int64_t>(failures - 1, 0, kDoublingsMax);
  const microseconds whole = std::min<microseconds>(kBackoffMax, microseconds(kBackoffMin) * (1 << doublings));
  const double part = static_cast<double>(random) / 4294967296.0 / 2;
  return whole - microseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * part));
}

std::uint32_t draw(Entropy& entropy) {
  std::array<std::uint8_t, 4> bytes{};
  entropy.fill(bytes);
  std::uint32_t number = 0;
  for (const std::uint8_t byte : bytes)
    number = number << 8 | byte;
  return number;
}

Outcome judge(int status, std::optional<std::chrono::seconds> retry_after) {
  constexpr std::array kNotNow = {408, 425, 429, 502, 503, 504};
  if (status >= 200 && status < 300) return {.is_delivered = true};
  const bool leads_elsewhere = status >= 300 && status < 400;
  return {.is_refused = std::ranges::find(kNotNow, status) == kNotNow.end(),
          .failure =
              fmt::format("the receiver answered {}{}", status, leads_elsewhere ? ": redirects are not followed" : ""),
          .retry_after = retry_after};
}

void move_on(Progress& progress, Delivery& delivery, const Outcome& outcome, Timestamp now, std::uint32_t random) {
  if (outcome.is_delivered) {
    progress.resume_at = now;
    progress.failures = 0;
    progress.failing_since.reset();
    progress.last_success_at = now;
    ++progress.delivered;
    return;
  }
  ++delivery.attempts;
  if (!progress.failing_since) progress.failing_since = now;
  progress.last_failure_at = now;
  progress.last_failure = outcome.failure;
  const auto asked = std::min(outcome.retry_after.value_or(std::chrono::seconds(0)), kBackoffMax);
  if (outcome.is_refused) {
    progress.failures = 0;
    progress.resume_at = now + kBackoffMin;
    delivery.due_at = progress.resume_at + std::max<microseconds>(backoff(delivery.attempts, random), asked);
    return;
  }
  ++progress.failures;
  progress.resume_at = now + std::max<microseconds>(backoff(progress.failures, random), asked);
}

}  // namespace warifu::webhooks

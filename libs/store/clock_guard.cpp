#include "store/clock_guard.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::store {
namespace {

// What NTP may put back without anybody noticing.
constexpr std::chrono::minutes kClockStepMax{1};

}  // namespace

bool ClockGuard::knows_newest() const {
  const std::lock_guard lock(mutex_);
  return knows_newest_;
}

void ClockGuard::learn(std::optional<Timestamp> newest) {
  const std::lock_guard lock(mutex_);
  knows_newest_ = true;
  newest_ = std::max(newest_, newest);
}

Status ClockGuard::check(Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (newest_ && now + kClockStepMax < *newest_)
    return Error{ErrorKind::kUnavailable, "clock.behind",
                 fmt::format("this server's clock says {}, but the audit log goes on until {}: set the clock",
                             to_rfc3339(now), to_rfc3339(*newest_))};
  newest_ = std::max(newest_, std::optional(now));
  return {};
}

}  // namespace warifu::store

#pragma once

#include <mutex>
#include <optional>

#include "base/result.h"
#include "base/time.h"

namespace warifu::store {

// Refuses changes while the clock is behind the audit log: their entries, certificates and tokens would stand in a
// wrong order. Safe to call from several threads.
class ClockGuard {
 public:
  bool knows_newest() const;
  // The time of the newest entry of the log, if it has one.
  void learn(std::optional<Timestamp> newest);
  // kUnavailable "clock.behind"; else `now` is that of the next entry.
  Status check(Timestamp now);

 private:
  mutable std::mutex mutex_;
  bool knows_newest_ = false;
  std::optional<Timestamp> newest_;
};

}  // namespace warifu::store

#pragma once

#include <mutex>
#include <vector>

#include "provisioning/records.h"
#include "store/store.h"

namespace warifu::front::dps {

// The attempts of devices on their way to the diary: collected in memory, written together a few times a minute. What
// comes faster than it is written is dropped, newest first: strangers must not make us write. Safe to call from several
// threads.
class AttemptLog {
 public:
  // Between two flushes. One a second then keeps at most so many rows a second.
  static constexpr std::size_t kWaitingMax = 200;
  // How long an attempt can be read.
  static constexpr std::chrono::hours kKept{24 * 7};
  static constexpr std::size_t kPurgeMax = 2'000;

  AttemptLog(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Of a message so much is kept: some hold the device's own words.
  static constexpr std::size_t kMessageSizeMax = 1'024;

  void note(provisioning::Attempt attempt);
  // Hands what waits to the store, without waiting for it. Attempts at a scope that does not exist are dropped.
  void flush();
  // Removes what was kept long enough, in one change; true if there is more. Waits for the store.
  bool purge();

  std::size_t dropped() const;

 private:
  store::Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<provisioning::Attempt> waiting_;
  std::size_t dropped_ = 0;
};

}  // namespace warifu::front::dps

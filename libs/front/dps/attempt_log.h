#pragma once

#include <mutex>
#include <vector>

#include "provisioning/records.h"
#include "store/store.h"

namespace warifu::front::dps {

// The attempts of devices on their way to the diary: collected in memory, written together once a second. What comes
// faster than it is written is dropped, fairly: strangers must neither make us write nor crowd out whom an operator
// looks for. Safe to call from several threads.
class AttemptLog {
 public:
  // Between two flushes. One a second then writes at most so many rows a second.
  static constexpr std::size_t kWaitingMax = 200;
  // Of these, for anybody; the rest is for IDs that are enrolled.
  static constexpr std::size_t kWaitingOfAnybodyMax = 100;
  // How long an attempt can be read.
  static constexpr std::chrono::hours kKept{24 * 7};
  static constexpr std::size_t kPurgeMax = 2'000;
  // Of a message so much is kept: some hold the device's own words.
  static constexpr std::size_t kMessageSizeMax = 1'024;

  // What a scope's diary has room for; the oldest go first. It is looked at once a minute, and may be passed by what
  // comes meanwhile (kWaitingMax a second and node). A row is about 400 bytes.
  struct Room {
    std::size_t enrolled = 1'000'000;
    std::size_t others = 10'000;
  };

  AttemptLog(store::Store& store, const Clock& clock, Room room) : store_(store), clock_(clock), room_(room) {}
  AttemptLog(store::Store& store, const Clock& clock) : AttemptLog(store, clock, Room()) {}

  // Who makes it: what was proved needs not be looked up.
  enum class Standing { kProven, kUnknown };
  // Reads the store when there is a crowd. What one client does again until the next flush is counted, not repeated.
  void note(provisioning::Attempt attempt, Standing standing = Standing::kUnknown);
  // Hands what waits to the store, without waiting for it. Attempts at a scope that does not exist are dropped.
  void flush();
  // Removes what was kept long enough, and the oldest of what is too much, in one change; true if there is more. Waits
  // for the store.
  bool purge();

  std::size_t dropped() const;

 private:
  bool is_enrolled(const provisioning::Attempt& attempt) const;
  // With the mutex held.
  bool count_up(const provisioning::Attempt& attempt);
  bool make_room_for(const provisioning::Attempt& attempt);

  store::Store& store_;
  const Clock& clock_;
  const Room room_;
  mutable std::mutex mutex_;
  std::vector<provisioning::Attempt> waiting_;
  std::size_t dropped_ = 0;
};

}  // namespace warifu::front::dps

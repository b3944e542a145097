#pragma once

#include <cstdint>
#include <optional>

#include "base/entropy.h"
#include "front/metrics.h"
#include "store/store.h"

namespace warifu::front::housekeeping {

// Notices that the disk of the database runs full while there is room to say so: in the log, the audit log, a metric,
// and by an event ("io.warifu.disk.changed"), once when room gets scarce and once when there is enough again. It
// blocks; one thread calls it. The objects that it is given outlive it.
class DiskWatch {
 public:
  // `alarm_below`: bytes that should be free; nullopt: default_alarm(); 0: it never tells.
  DiskWatch(const Clock& clock, Entropy& entropy, store::Store& store, Metrics& metrics,
            std::optional<std::uint64_t> alarm_below = {})
      : clock_(clock), entropy_(entropy), store_(store), metrics_(metrics), alarm_below_(alarm_below) {}

  // To be called about every minute. What could not be told, because the disk is full already, is tried again.
  Status look();

  // 1 GiB, of a disk below 10 GiB a tenth.
  static std::uint64_t default_alarm(std::uint64_t total);

 private:
  Status tell(const store::DiskSpace& space, std::uint64_t alarm_below, bool is_low);

  const Clock& clock_;
  Entropy& entropy_;
  store::Store& store_;
  Metrics& metrics_;
  const std::optional<std::uint64_t> alarm_below_;
  bool is_told_low_ = false;  // what was told last
};

}  // namespace warifu::front::housekeeping

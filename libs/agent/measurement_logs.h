#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::agent {

// The Name of the NULL hierarchy's primary, as it was noted when this boot began.
struct RecordedNullName {
  std::string name;         // lower-case hexadecimal: 000b and 64 digits
  std::string_view source;  // "kernel" or "initramfs"
};

// What the kernel, and systemd, say they measured. nullopt: this machine has no such log.
class MeasurementLogs {
 public:
  // Of each log, from where it is read on: what can be sent at once. What is longer is not cut, for what is left of it
  // would contradict the registers.
  static constexpr std::size_t kLogMax = std::size_t{16} * 1024 * 1024;

  virtual ~MeasurementLogs() = default;
  // kUnavailable "logs.read" when a log is there and cannot be read, kRefused "logs.size" when it is too large.
  virtual Result<std::optional<Bytes>> event_log() = 0;
  // The bytes of the IMA list from `offset`; none beyond its end.
  virtual Result<std::optional<Bytes>> ima_list(std::uint64_t offset) = 0;
  virtual Result<std::optional<Bytes>> userspace_log() = 0;
  // Of /proc/sys/kernel/random/boot_id; empty when it cannot be read: it is a hint.
  virtual std::string boot_id() = 0;
  // nullopt: nobody noted it. A hint as well.
  virtual std::optional<RecordedNullName> null_name() = 0;
};

}  // namespace warifu::agent

#pragma once

#include <cstdint>

#include "base/result.h"
#include "tpm_device/device.h"

namespace warifu::tpm_device {

// TPMS_TIME_INFO (Part 2, 10.11.6).
struct TpmClock {
  std::uint64_t time_ms;   // since power-on
  std::uint64_t clock_ms;  // while powered, over its life; TPM2_Clear sets it to zero
  std::uint32_t reset_count;
  std::uint32_t restart_count;
  bool safe;  // the clock was never higher than this: false after a disorderly shutdown
};

// TPM2_ReadClock under the session's HMAC.
Result<TpmClock> read_clock(Device& device);

}  // namespace warifu::tpm_device

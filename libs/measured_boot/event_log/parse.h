#pragma once

#include "base/result.h"
#include "measured_boot/event_log/event_log.h"

namespace warifu::measured_boot {

inline constexpr std::size_t kLogSizeMax = 16 * 1024 * 1024;
inline constexpr std::size_t kEventsMax = 65536;
// Announced algorithms: TPMs have up to five banks.
inline constexpr std::size_t kBanksMax = 16;

// Reads a boot log: crypto-agile (PFP 1.06), legacy SHA-1, Windows' WBCL, U-Boot and TF-A, CCEL. What is unusual
// but readable is a finding. Refused, with field and offset (all InvalidInput):
//   "eventlog.too-large"         more than kLogSizeMax bytes, kEventsMax events or kBanksMax algorithms
//   "eventlog.empty"             padding and nothing else
//   "eventlog.truncated"         a field is longer than what is left
//   "eventlog.trailing"          something after the end that is no padding
//   "eventlog.spec-id"           a Spec ID event that lies, of a version that we do not know, or a second one
//   "eventlog.digests"           no digest, more than were announced, one twice, or of an algorithm that was not
//   "eventlog.register"          a register that a TPM (or a TD) does not have
//   "eventlog.startup-locality"  malformed, twice, or after PCR 0 was extended
Result<EventLog> parse_event_log(ByteView log);

}  // namespace warifu::measured_boot

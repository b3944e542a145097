#pragma once

#include "base/result.h"
#include "measured_boot/userspace_log/userspace_log.h"

namespace warifu::measured_boot {

inline constexpr std::size_t kUserspaceLogSizeMax = 16 * 1024 * 1024;
inline constexpr std::size_t kUserspaceRecordsMax = 65536;
inline constexpr std::size_t kUserspaceRecordSizeMax = 64 * 1024;

// Each record begins with it (RFC 7464, 2.2). No log of firmware does: it would be PCR 30.
inline constexpr std::uint8_t kRecordSeparator = 0x1E;
// By the first byte.
bool is_userspace_log(ByteView log);

// Reads a JSON text sequence (RFC 7464) of CEL-JSON records (TCG Canonical Event Log Format 1.0) as systemd writes
// them: "pcr", "digests", "content_type" and "content", no "recnum". Members that are not known are read over. An empty
// log is one of no records. Refused, with record, offset and field (all InvalidInput):
//   "userspace-log.too-large"  more than kUserspaceLogSizeMax bytes, kUserspaceRecordsMax records, or
//                              kUserspaceRecordSizeMax bytes in one
//   "userspace-log.truncated"  the last record does not end in a line feed
//   "userspace-log.framing"    something before the first separator, or another record without a line feed
//   "userspace-log.record"     no JSON object, or a member of the wrong type
//   "userspace-log.register"   no register, or one that a TPM does not have
//   "userspace-log.digests"    no digest, two of one algorithm, or one of the wrong size
Result<UserspaceLog> parse_userspace_log(ByteView log);

}  // namespace warifu::measured_boot

#include "tcb/device_time.h"

#include <fmt/format.h>

#include <algorithm>

#include "tcb/state_record.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

constexpr std::string_view kFile = "last-seen";
constexpr std::uint64_t kMicrosMax = kUnixSecondsMax * 1'000'000 + 999'999;

// No program runs for longer. What says more is a mistake, and taken it could not be taken back: nothing would be
// valid.
constexpr std::chrono::days kPlausible{20 * 365};

Result<Timestamp> parse_last_seen(ByteView content) {
  TRY(const Bytes body, open_record(RecordKind::kLastSeen, content));
  wire::Reader in(body);
  TRY(const std::uint64_t micros, in.u64("time"));
  TRY_STATUS(in.expect_done("last-seen"));
  if (micros > kMicrosMax) return invalid_input("tcb.state.form", "a time after the year 9999", "time");
  return from_micros(static_cast<std::int64_t>(micros));
}

}  // namespace

Result<Timestamp> DeviceTime::lower_bound() const {
  TRY(const auto last_seen, read_record(files_, journal_, kFile, parse_last_seen));
  return std::max(built_at_, last_seen.value_or(built_at_));
}

Result<crypto::PathTime> DeviceTime::now() const {
  TRY(const Timestamp bound, lower_bound());
  const Timestamp system = clock_.now();
  return crypto::PathTime{.now = std::max(system, bound), .check_not_before = system >= bound};
}

Status DeviceTime::saw(Timestamp moment) {
  TRY(const Timestamp bound, lower_bound());
  if (moment <= bound) return {};
  if (moment > built_at_ + kPlausible) {
    journal_.warn(
        fmt::format("a verified certificate begins, or a trust bundle was issued, at {}, more than 20 years after this "
                    "program was built: the time is not taken from it",
                    to_rfc3339(moment)));
    return {};
  }
  const Bytes body = wire::Writer().u64(static_cast<std::uint64_t>(to_micros(moment))).take();
  return files_.replace(kFile, frame_record(RecordKind::kLastSeen, body));
}

}  // namespace warifu::tcb

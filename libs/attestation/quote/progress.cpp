#include "attestation/quote/progress.h"

#include <algorithm>
#include <cstdlib>

namespace warifu::attestation {
namespace {

std::int32_t difference(std::uint32_t now, std::uint32_t earlier) {
  return static_cast<std::int32_t>(now - earlier);
}

}  // namespace

std::string_view to_string(BootRelation relation) {
  switch (relation) {
    case BootRelation::kSameBoot:
      return "same-boot";
    case BootRelation::kResumed:
      return "resumed";
    case BootRelation::kNewBoot:
      return "new-boot";
    case BootRelation::kUnknown:
      return "unknown";
  }
  std::abort();
}

std::string_view to_string(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::kClockFell:
      return "clock-fell";
    case Anomaly::kClockMayHaveFallen:
      return "clock-may-have-fallen";
    case Anomaly::kResetCountFell:
      return "reset-count-fell";
    case Anomaly::kRestartCountFell:
      return "restart-count-fell";
    case Anomaly::kFirmwareChanged:
      return "firmware-changed";
  }
  std::abort();
}

Progress compare(const QuoteState& earlier, const QuoteState& now) {
  Progress progress;
  const std::int32_t resets = difference(now.clock.reset_count, earlier.clock.reset_count);
  const std::int32_t restarts = difference(now.clock.restart_count, earlier.clock.restart_count);
  if (resets < 0) progress.anomalies.push_back(Anomaly::kResetCountFell);
  // A TPM Reset begins the other counter anew.
  if (resets == 0 && restarts < 0) progress.anomalies.push_back(Anomaly::kRestartCountFell);
  if (now.clock.clock_ms < earlier.clock.clock_ms)
    progress.anomalies.push_back(now.clock.safe ? Anomaly::kClockFell : Anomaly::kClockMayHaveFallen);
  const bool fell =
      std::ranges::any_of(progress.anomalies, [](Anomaly anomaly) { return anomaly != Anomaly::kClockMayHaveFallen; });
  if (!fell) {
    progress.relation = resets > 0     ? BootRelation::kNewBoot
                        : restarts > 0 ? BootRelation::kResumed
                                       : BootRelation::kSameBoot;
  }
  if (now.firmware_version != earlier.firmware_version) progress.anomalies.push_back(Anomaly::kFirmwareChanged);
  return progress;
}

}  // namespace warifu::attestation

#pragma once

#include <string_view>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"

// What tests ask of a log that was read, or refused.
namespace warifu::measured_boot {

inline constexpr auto kSha1 = crypto::HashAlgorithm::kSha1;
inline constexpr auto kSha256 = crypto::HashAlgorithm::kSha256;

inline std::string_view code_of(const Result<EventLog>& log) {
  return log ? "accepted" : log.error().code;
}
inline std::string_view code_of(const LogWriter& writer) {
  return code_of(parse_event_log(writer.bytes()));
}

inline bool has_finding(const EventLog& log, std::string_view code) {
  for (const LogFinding& finding : log.findings())
    if (finding.code == code) return true;
  return false;
}

inline LogWriter small_log() {
  LogWriter log({kSha1, kSha256});
  log.event(0, EventType::kSCrtmVersion, "1.0").separators();
  return log;
}

inline crypto::Digest extended_by(const crypto::Digest& value, std::string_view data) {
  return extended(value, crypto::digest(value.algorithm(), {as_bytes(data)}).bytes());
}

}  // namespace warifu::measured_boot

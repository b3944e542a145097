#include "measured_boot/event_log/resume.h"

#include <gtest/gtest.h>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/test_log.h"
#include "measured_boot/event_log/test_parse.h"

namespace warifu::measured_boot {
namespace {

LogWriter firmware(std::string_view version) {
  LogWriter log({kSha256});
  log.event(0, EventType::kSCrtmVersion, version).separators();
  return log;
}

std::optional<std::uint32_t> difference(const LogWriter& earlier, const LogWriter& last) {
  return first_firmware_difference(*parse_event_log(earlier.bytes()), *parse_event_log(last.bytes()), kSha256);
}

TEST(EventLog, L16_LogsOfAResumeShareFirmwaresPart) {
  LogWriter started = firmware("1.0");
  started.event(4, EventType::kEfiBootServicesApplication, "boot manager").event(12, EventType::kEventTag, "start");
  LogWriter resumed = firmware("1.0");
  resumed.event(4, EventType::kEfiBootServicesApplication, "resume loader").event(12, EventType::kEventTag, "resume");
  EXPECT_EQ(difference(started, resumed), std::nullopt);
  EXPECT_EQ(difference(firmware("1.1"), resumed), 1u);
  LogWriter more({kSha256});
  more.event(0, EventType::kSCrtmVersion, "1.0").event(2, EventType::kEfiBootServicesDriver, "a driver").separators();
  EXPECT_EQ(difference(more, resumed), 2u);
  EXPECT_EQ(difference(resumed, more), 2u);
}

}  // namespace
}  // namespace warifu::measured_boot

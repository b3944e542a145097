#include "measured_boot/event_log/replay.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/event_log/test_parse.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

TEST(EventLog, L4_NoActionEventsAreNotExtended) {
  LogWriter with = small_log();
  with.no_action(0, as_bytes("SP800-155 Event")).no_action(kNoRegister, as_bytes("TrEE"));
  const auto log = parse_event_log(with.bytes());
  ASSERT_TRUE(log) << to_string(log.error());
  const LogWriter without = small_log();
  EXPECT_EQ(replay(*log), replay(*parse_event_log(without.bytes())));
  EXPECT_TRUE(log->findings().empty());
  // What is measured does belong to a register.
  EXPECT_EQ(code_of(small_log().event(kNoRegister, EventType::kEventTag, "x")), "eventlog.register");
  EXPECT_EQ(code_of(small_log().event(24, EventType::kEventTag, "x")), "eventlog.register");
  EXPECT_EQ(code_of(small_log().no_action(24, as_bytes("x"))), "eventlog.register");
}

TEST(EventLog, L4_ADigestOfAnUnmeasuredEventIsToldAndNotExtended) {
  LogWriter writer = small_log();
  writer.measured(0, EventType::kNoAction, as_bytes("something"), as_bytes("something"));
  const auto log = parse_event_log(writer.bytes());
  ASSERT_TRUE(log);
  EXPECT_TRUE(has_finding(*log, "no-action.digest"));
  EXPECT_EQ(replay(*log), replay(*parse_event_log(small_log().bytes())));
  writer = small_log();
  writer.no_action(4, as_bytes("elsewhere"));
  EXPECT_TRUE(has_finding(*parse_event_log(writer.bytes()), "no-action.register"));
}

TEST(EventLog, L5_PcrZeroBeginsWithTheStartupLocality) {
  for (const std::uint8_t locality : Bytes{0, 3, 4}) {
    LogWriter writer({kSha1, kSha256});
    writer.startup_locality(locality)
        .event(0, EventType::kSCrtmVersion, "1.0")
        .event(1, EventType::kSeparator, Bytes(4));
    const auto log = parse_event_log(writer.bytes());
    ASSERT_TRUE(log) << to_string(log.error());
    EXPECT_EQ(log->startup_locality(), locality);
    crypto::Digest start(kSha256);
    start.writable().back() = locality;
    EXPECT_EQ(*replay(*log).find(kSha256, 0), extended_by(start, "1.0"));
    EXPECT_EQ(*replay(*log).find(kSha256, 1), extended_by(crypto::Digest(kSha256), std::string_view("\0\0\0\0", 4)));
  }
}

TEST(EventLog, L5_AnHcrtmEventMeansLocalityFour) {
  LogWriter writer({kSha256});
  writer.event(0, EventType::kEfiHcrtmEvent, "HCRTM");
  const auto log = parse_event_log(writer.bytes());
  ASSERT_TRUE(log);
  EXPECT_EQ(log->startup_locality(), 4);
  crypto::Digest start(kSha256);
  start.writable().back() = 4;
  EXPECT_EQ(*replay(*log).find(kSha256, 0), extended_by(start, "HCRTM"));
  // In another register it says nothing of PCR 0; and a locality that is told stands.
  const LogWriter other = LogWriter({kSha256}).event(1, EventType::kEfiHcrtmEvent, "HCRTM");
  EXPECT_EQ(parse_event_log(other.bytes())->startup_locality(), std::nullopt);
  LogWriter both({kSha256});
  both.startup_locality(3).event(0, EventType::kEfiHcrtmEvent, "HCRTM");
  const auto contradiction = parse_event_log(both.bytes());
  ASSERT_TRUE(contradiction);
  EXPECT_EQ(contradiction->startup_locality(), 3);
  EXPECT_TRUE(has_finding(*contradiction, "startup-locality.hcrtm"));
}

TEST(EventLog, L5_AStartupLocalityThatIsLateDoubledOrNoneIsRefused) {
  const auto locality = [](std::string_view data) { return LogWriter({kSha256}).no_action(0, as_bytes(data)); };
  EXPECT_EQ(code_of(LogWriter({kSha256}).event(1, EventType::kPostCode, "x").startup_locality(3)), "accepted");
  EXPECT_EQ(code_of(LogWriter({kSha256}).event(0, EventType::kPostCode, "x").startup_locality(3)),
            "eventlog.startup-locality");
  EXPECT_EQ(code_of(LogWriter({kSha256}).startup_locality(3).startup_locality(3)), "eventlog.startup-locality");
  for (const std::uint8_t value : Bytes{1, 2, 5, 255})
    EXPECT_EQ(code_of(LogWriter({kSha256}).startup_locality(value)), "eventlog.startup-locality") << int{value};
  EXPECT_EQ(code_of(locality(std::string_view("StartupLocality\0", 16))), "eventlog.startup-locality");
  EXPECT_EQ(code_of(locality(std::string_view("StartupLocality\0\3\3", 18))), "eventlog.startup-locality");
  EXPECT_EQ(code_of(LogWriter({kSha256}).no_action(1, as_bytes(std::string_view("StartupLocality\0\3", 17)))),
            "eventlog.startup-locality");
}

TEST(EventLog, L6_DynamicRegistersBeginWithOnesUntilADynamicLaunch) {
  LogWriter writer = small_log();
  writer.event(17, EventType::kEventTag, "x").event(22, EventType::kEventTag, "x").event(16, EventType::kEventTag, "x");
  crypto::Digest ones(kSha256);
  std::ranges::fill(ones.writable(), std::uint8_t{0xFF});
  const auto values = replay(*parse_event_log(writer.bytes()));
  EXPECT_EQ(*values.find(kSha256, 17), extended_by(ones, "x"));
  EXPECT_EQ(*values.find(kSha256, 22), extended_by(ones, "x"));
  EXPECT_EQ(*values.find(kSha256, 16), extended_by(crypto::Digest(kSha256), "x"));
  // Intel TXT's EVTYPE_HASH_START; and the launch's own log, which has no other registers.
  LogWriter with_launch = small_log();
  with_launch.event(17, EventType{0x402}, "x").event(18, EventType::kEventTag, "x");
  const LogWriter& launched = with_launch;
  const LogWriter own = LogWriter({kSha256}).event(18, EventType::kEventTag, "x");
  for (const LogWriter* log : {&launched, &own})
    EXPECT_EQ(*replay(*parse_event_log(log->bytes())).find(kSha256, 18), extended_by(crypto::Digest(kSha256), "x"));
}

TEST(EventLog, L7_EachBankIsReplayedByItself) {
  const LogWriter writer = small_log();
  const auto log = parse_event_log(writer.bytes());
  ASSERT_TRUE(log);
  const RegisterValues values = replay(*log);
  ASSERT_EQ(values.banks().size(), 2u);
  EXPECT_EQ(*values.find(kSha256), replay(*log, kSha256));
  EXPECT_TRUE(replay(*log, HashAlgorithm::kSha384).registers().empty());
  // A wrong digest in one bank leaves the other as it is.
  Bytes changed = writer.bytes();
  const auto sha1 = log->digest(log->events()[1], kSha1);
  changed[static_cast<std::size_t>(sha1.data() - writer.bytes().data())] ^= 1;
  const RegisterValues other = replay(*parse_event_log(changed));
  EXPECT_NE(*other.find(kSha1), *values.find(kSha1));
  EXPECT_EQ(*other.find(kSha256), *values.find(kSha256));
}

}  // namespace
}  // namespace warifu::measured_boot

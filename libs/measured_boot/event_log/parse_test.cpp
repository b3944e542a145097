#include "measured_boot/event_log/parse.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/event_log/test_parse.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

TEST(EventLog, ReadsWhatFirmwareWrites) {
  const LogWriter writer = small_log();
  const auto log = parse_event_log(writer.bytes());
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->format(), LogFormat::kPfpAgile);
  EXPECT_EQ(log->register_kind(), RegisterKind::kPcr);
  EXPECT_EQ(log->startup_locality(), std::nullopt);
  ASSERT_EQ(log->events().size(), 10u);
  const Event& version = log->events()[1];
  EXPECT_EQ(version.number, 1u);
  EXPECT_EQ(version.type, EventType::kSCrtmVersion);
  EXPECT_EQ(as_text(version.data), "1.0");
  EXPECT_EQ(as_text(ByteView(writer.bytes()).subspan(version.data_offset, 3)), "1.0");
  EXPECT_EQ(to_bytes(log->digest(version, kSha256)), to_bytes(crypto::digest(kSha256, {as_bytes("1.0")}).bytes()));
  EXPECT_TRUE(log->digest(version, HashAlgorithm::kSha384).empty());
  EXPECT_EQ(log->end_offset(), writer.bytes().size());
  EXPECT_TRUE(log->findings().empty());
}

TEST(EventLog, ReadsLegacyLogsWithAndWithoutASpecIdEvent) {
  for (const std::string_view signature :
       {std::string_view(), std::string_view("Spec ID Event00\0", 16), std::string_view("Spec ID Event02\0", 16)}) {
    LogWriter writer({});
    if (!signature.empty()) writer.no_action(0, as_bytes(signature));
    writer.event(0, EventType::kSCrtmVersion, "1.0");
    const auto log = parse_event_log(writer.bytes());
    ASSERT_TRUE(log) << to_string(log.error());
    EXPECT_EQ(log->format(), LogFormat::kSha1Legacy);
    EXPECT_EQ(*replay(*log).find(kSha1, 0), extended_by(crypto::Digest(kSha1), "1.0"));
  }
  EXPECT_EQ(code_of(LogWriter({}).no_action(0, as_bytes(std::string_view("Spec ID Event04\0", 16)))),
            "eventlog.spec-id");
}

TEST(EventLog, L11_PaddingEndsTheLogAndNothingMayFollowIt) {
  for (const LogWriter& writer : {small_log(), LogWriter({}).event(0, EventType::kPostCode, "x")}) {
    for (const std::uint8_t filler : Bytes{0x00, 0xFF}) {
      for (const std::size_t size : {1u, 4u, 8u, 11u, 12u, 31u, 32u, 4096u}) {
        const Bytes padded = concatenated({writer.bytes(), Bytes(size, filler)});
        const auto log = parse_event_log(padded);
        ASSERT_TRUE(log) << to_string(log.error());
        EXPECT_EQ(log->end_offset(), writer.bytes().size());
        EXPECT_EQ(log->after_end().kind, AfterEnd::Kind::kPadding);
        EXPECT_EQ(log->after_end().size, size);
        EXPECT_EQ(replay(*log), replay(*parse_event_log(writer.bytes())));
        // An event that is hidden behind it.
        const Bytes hidden = concatenated({padded, Bytes{0x5A}});
        EXPECT_NE(code_of(parse_event_log(hidden)), "accepted") << size;
      }
    }
    for (const std::size_t size : {1u, 4u, 11u, 40u})
      EXPECT_NE(code_of(parse_event_log(concatenated({writer.bytes(), Bytes(size, 0x5A)}))), "accepted") << size;
  }
}

TEST(EventLog, L11_VendorInformationOutsideItsEventIsTakenOnlyAtTheEnd) {
  Bytes data = spec_id_data({{11, 32}});
  data.back() = 4;
  const Bytes first = legacy_record(0, EventType::kNoAction, Bytes(20), data);
  const Bytes outside = concatenated({first, as_bytes("info")});
  const auto log = parse_event_log(outside);
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->after_end().kind, AfterEnd::Kind::kVendorInfo);
  EXPECT_TRUE(has_finding(*log, "spec-id.vendor-info"));
  EXPECT_EQ(code_of(parse_event_log(concatenated({first, as_bytes("inf")}))), "eventlog.trailing");
  EXPECT_EQ(code_of(parse_event_log(concatenated({first, as_bytes("infos")}))), "eventlog.trailing");
}

TEST(EventLog, L11_OnlyAnUnmeasuredLastEventMayBeCutShort) {
  const auto cut = [](RegisterIndex index, EventType type) {
    Bytes record = legacy_record(index, type, Bytes(20, 1), Bytes(64, 1));
    record.erase(record.end() - 10, record.end());
    return LogWriter({}).event(0, EventType::kPostCode, "x").raw(record);
  };
  const LogWriter writer = cut(kNoRegister, EventType::kNoAction);
  const auto log = parse_event_log(writer.bytes());
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->after_end().kind, AfterEnd::Kind::kCutUnmeasured);
  EXPECT_TRUE(has_finding(*log, "event.cut"));
  EXPECT_EQ(code_of(cut(0, EventType::kNoAction)), "eventlog.truncated");
  EXPECT_EQ(code_of(cut(1, EventType::kPostCode)), "eventlog.truncated");
}

TEST(EventLog, L17_ConfidentialComputingLogsCountMeasurementRegisters) {
  LogWriter writer({HashAlgorithm::kSha384}, 1);
  writer.event(1, EventType::kEfiVariableDriverConfig, "x").event(4, EventType::kIpl, "y");
  const auto log = parse_event_log(writer.bytes());
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->register_kind(), RegisterKind::kRtmr);
  EXPECT_EQ(*replay(*log).find(HashAlgorithm::kSha384, 4), extended_by(crypto::Digest(HashAlgorithm::kSha384), "y"));
  EXPECT_EQ(code_of(LogWriter({HashAlgorithm::kSha384}, 1).event(0, EventType::kIpl, "MRTD")), "eventlog.register");
  EXPECT_EQ(code_of(LogWriter({HashAlgorithm::kSha384}, 1).event(5, EventType::kIpl, "x")), "eventlog.register");
  EXPECT_EQ(code_of(LogWriter({HashAlgorithm::kSha384}, 1).startup_locality(3)), "eventlog.startup-locality");
  EXPECT_EQ(code_of(LogWriter({HashAlgorithm::kSha384}, 2)), "eventlog.spec-id");
}

}  // namespace
}  // namespace warifu::measured_boot

#include "measured_boot/event_log/parse.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

constexpr auto kSha1 = HashAlgorithm::kSha1;
constexpr auto kSha256 = HashAlgorithm::kSha256;

std::string_view code_of(const Result<EventLog>& log) {
  return log ? "accepted" : log.error().code;
}
std::string_view code_of(const LogWriter& writer) {
  return code_of(parse_event_log(writer.bytes()));
}

bool has_finding(const EventLog& log, std::string_view code) {
  for (const LogFinding& finding : log.findings())
    if (finding.code == code) return true;
  return false;
}

LogWriter small_log() {
  LogWriter log({kSha1, kSha256});
  log.event(0, EventType::kSCrtmVersion, "1.0").separators();
  return log;
}

crypto::Digest extended_by(crypto::Digest value, std::string_view data) {
  return extended(value, crypto::digest(value.algorithm(), {as_bytes(data)}).bytes());
}

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

TEST(EventLog, L7_DigestsMustBeThoseThatWereAnnounced) {
  const auto with_digests = [](std::uint32_t count, std::initializer_list<std::uint16_t> ids) {
    Bytes digests;
    for (const auto id : ids)
      digests = concatenated({digests, little_endian(id, 2), Bytes(id == 4 ? 20 : 32)});
    return LogWriter({kSha1, kSha256})
        .raw(concatenated(
            {little_endian(0, 4), little_endian(1, 4), little_endian(count, 4), digests, little_endian(0, 4)}));
  };
  EXPECT_EQ(code_of(with_digests(2, {4, 11})), "accepted");
  EXPECT_EQ(code_of(with_digests(2, {11, 4})), "accepted");
  EXPECT_EQ(code_of(with_digests(2, {4, 4})), "eventlog.digests");
  EXPECT_EQ(code_of(with_digests(3, {4, 11, 11})), "eventlog.digests");
  EXPECT_EQ(code_of(with_digests(2, {4, 18})), "eventlog.digests");
  EXPECT_EQ(code_of(with_digests(0, {})), "eventlog.digests");
  // Windows' loader does this; the bank that is left out replays to something else than the TPM has.
  const LogWriter one = with_digests(1, {11});
  const auto log = parse_event_log(one.bytes());
  ASSERT_TRUE(log);
  EXPECT_TRUE(has_finding(*log, "digest.missing"));
  EXPECT_EQ(replay(*log).find(kSha1, 0), nullptr);
  EXPECT_NE(replay(*log).find(kSha256, 0), nullptr);
}

TEST(EventLog, L7_ASpecIdEventThatLiesIsRefused) {
  const auto with = [](ByteView data) {
    return code_of(parse_event_log(legacy_record(0, EventType::kNoAction, Bytes(20), data)));
  };
  EXPECT_EQ(with(spec_id_data({{4, 20}, {11, 32}})), "accepted");
  EXPECT_EQ(with(spec_id_data({{4, 20}, {11, 20}})), "eventlog.spec-id");
  EXPECT_EQ(with(spec_id_data({{11, 32}, {11, 32}})), "eventlog.spec-id");
  EXPECT_EQ(with(spec_id_data({})), "eventlog.spec-id");
  EXPECT_EQ(with(spec_id_data({{0x27, 48}})), "eventlog.spec-id");
  EXPECT_EQ(with(spec_id_data({{0x99, 65}})), "eventlog.spec-id");
  EXPECT_EQ(with(spec_id_data({{0x99, 0}})), "eventlog.spec-id");
  EXPECT_EQ(with(spec_id_data({{11, 32}}, as_bytes("vendor"))), "accepted");
  Bytes many = spec_id_data({{11, 32}});
  many[24] = 0xFF;
  many[27] = 0xFF;
  EXPECT_EQ(with(many), "eventlog.too-large");
  const Bytes whole = spec_id_data({{4, 20}, {11, 32}});
  for (std::size_t size = 17; size < whole.size() - 1; ++size)
    EXPECT_NE(with(ByteView(whole).first(size)), "accepted") << size;
}

TEST(EventLog, L7_ABankThatWeCannotComputeIsReadOverAndTold) {
  const Bytes first = legacy_record(0, EventType::kNoAction, Bytes(20), spec_id_data({{0x27, 32}, {11, 32}}));
  const Bytes event =
      concatenated({little_endian(0, 4), little_endian(1, 4), little_endian(2, 4), little_endian(0x27, 2), Bytes(32, 1),
                    little_endian(11, 2), Bytes(32, 2), little_endian(0, 4)});
  const Bytes whole = concatenated({first, event});
  const auto log = parse_event_log(whole);
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_TRUE(has_finding(*log, "bank.unknown"));
  EXPECT_EQ(replay(*log).banks().size(), 1u);
}

TEST(EventLog, L9_EveryTruncationIsRefusedOrShorter) {
  const LogWriter writer = small_log();
  const auto whole = parse_event_log(writer.bytes());
  ASSERT_TRUE(whole);
  std::size_t shorter = 0;
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    const Bytes cut(writer.bytes().begin(), writer.bytes().begin() + static_cast<std::ptrdiff_t>(size));
    const auto log = parse_event_log(cut);
    if (!log) continue;
    // Cut between two events, or inside the zeros that a header may begin with: then a replay must tell.
    ++shorter;
    EXPECT_LT(log->events().size(), whole->events().size()) << size;
    EXPECT_NE(replay(*log), replay(*whole)) << size;
  }
  EXPECT_GE(shorter, 9u);
}

TEST(EventLog, L10_SizesThatLieAreRefusedWithFieldAndOffset) {
  const LogWriter writer = small_log();
  const auto log = parse_event_log(writer.bytes());
  for (const Event& event : log->events()) {
    Bytes bytes = writer.bytes();
    for (std::size_t i = 1; i <= 4; ++i)
      bytes[event.data_offset - i] = 0xFF;
    const auto refused = parse_event_log(bytes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "eventlog.truncated");
    EXPECT_NE(refused.error().where.find(std::to_string(event.data_offset)), std::string::npos);
  }
}

TEST(EventLog, L10_GiganticLogsAreRefused) {
  EXPECT_EQ(code_of(parse_event_log(Bytes(kLogSizeMax + 1))), "eventlog.too-large");
  LogWriter writer({});
  const Bytes record = legacy_record(1, EventType::kPostCode, Bytes(20), {});
  for (std::size_t i = 0; i < kEventsMax; ++i)
    writer.raw(record);
  EXPECT_EQ(code_of(writer), "accepted");
  EXPECT_EQ(code_of(writer.raw(record)), "eventlog.too-large");
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

TEST(EventLog, L18_ASecondSpecIdEventOrALegacyRecordInsideIsRefused) {
  const Bytes spec_id = spec_id_data({{4, 20}, {11, 32}});
  EXPECT_EQ(code_of(small_log().no_action(0, spec_id)), "eventlog.spec-id");
  EXPECT_EQ(code_of(small_log().no_action(0, as_bytes(std::string_view("Spec ID Event02\0", 16)))), "eventlog.spec-id");
  EXPECT_NE(code_of(small_log().raw(legacy_record(0, EventType::kNoAction, Bytes(20), spec_id))), "accepted");
  EXPECT_NE(code_of(small_log().raw(legacy_record(0, EventType::kPostCode, Bytes(20, 7), Bytes(4)))), "accepted");
  EXPECT_EQ(code_of(LogWriter({}).event(0, EventType::kPostCode, "x").no_action(0, spec_id)), "eventlog.spec-id");
}

}  // namespace
}  // namespace warifu::measured_boot

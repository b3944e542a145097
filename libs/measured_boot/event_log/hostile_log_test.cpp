#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/event_log/test_parse.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

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

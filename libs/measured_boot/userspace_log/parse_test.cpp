#include "measured_boot/userspace_log/parse.h"

#include <gtest/gtest.h>

#include "measured_boot/userspace_log/test_log.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;
using test::digests_of;
using test::kBoot;
using test::log_of;
using test::record_of;

Result<UserspaceLog> parsed(std::string_view log) {
  return parse_userspace_log(as_bytes(log));
}

TEST(UserspaceLog, ReadsWhatSystemdWrites) {
  const std::string text = log_of(kBoot);
  const auto log = parsed(text);
  ASSERT_TRUE(log) << to_string(log.error());
  ASSERT_EQ(log->records.size(), kBoot.size());
  EXPECT_EQ(log->banks(), (std::vector{HashAlgorithm::kSha1, HashAlgorithm::kSha256}));
  for (std::size_t i = 0; i < kBoot.size(); ++i) {
    const UserspaceRecord& record = log->records[i];
    EXPECT_EQ(record.number, i);
    EXPECT_EQ(text[record.offset], '\x1e');
    EXPECT_EQ(record.register_index, kBoot[i].pcr);
    EXPECT_EQ(record.type, kBoot[i].type);
    EXPECT_EQ(record.text, kBoot[i].text);
    for (const auto bank : {HashAlgorithm::kSha1, HashAlgorithm::kSha256})
      EXPECT_EQ(*record.digest(bank), crypto::digest(bank, {as_bytes(kBoot[i].measured)}));
    EXPECT_EQ(record.digest(HashAlgorithm::kSha384), nullptr);
  }
  EXPECT_TRUE(parsed("")->records.empty());
  EXPECT_TRUE(is_userspace_log(as_bytes(text)));
  EXPECT_FALSE(is_userspace_log(as_bytes(text).subspan(1)));
  EXPECT_FALSE(is_userspace_log({}));
}

TEST(UserspaceLog, ReadsOverWhatItDoesNotKnow) {
  const std::string sha256 = digests_of("x", {HashAlgorithm::kSha256});
  const auto log = parsed(record_of(R"("recnum":7,"pcr":9)", R"({"hashAlg":"sha3-256","digest":"00"},)" + sha256,
                                    R"("string":null,"later":{"a":[1]})") +
                          "\x1e{\"pcr\":23,\"digests\":[" + sha256 + "],\"content_type\":\"other\",\"content\":7}\n" +
                          record_of(R"("nv_index":30409216)", sha256, R"("string":"x")") +
                          record_of(R"("pcr":null)", sha256, R"("nvIndexName":"hardware","string":"x")"));
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->unknown_digests, 1U);
  EXPECT_EQ(log->records[0].digests.size(), 1U);
  EXPECT_EQ(log->records[0].text, std::nullopt);
  EXPECT_EQ(log->records[1].register_index, 23U);
  EXPECT_EQ(log->records[2].register_index, std::nullopt);
  EXPECT_EQ(log->records[3].register_index, std::nullopt);
}

TEST(UserspaceLog, RefusesWithRecordOffsetAndField) {
  const std::string good = log_of({kBoot[0]});
  const std::string sha256 = digests_of("x", {HashAlgorithm::kSha256});
  const std::string pcr = R"("pcr":11)";
  const struct {
    std::string second;
    std::string_view code;
    std::string_view field;
  } cases[] = {
      {"\x1e", "userspace-log.truncated", ""},
      {"\x1e\n", "userspace-log.record", "JSON, offset"},
      {"\x1e[]\n", "userspace-log.record", ""},
      {"\x1e{}{}\n", "userspace-log.record", "JSON, offset 2 in it"},
      {"\x1e{\"pcr\":1,\"pcr\":1}\n", "userspace-log.record", "JSON, offset"},
      {"\x1e\x1e{}\n", "userspace-log.framing", ""},
      {record_of(R"("pcr":24)", sha256, ""), "userspace-log.register", "pcr"},
      {record_of(R"("pcr":4294967307)", sha256, ""), "userspace-log.register", "pcr"},
      {record_of(R"("rtmr":2)", sha256, ""), "userspace-log.register", "pcr"},
      {record_of(R"("pcr":11,"nv_index":1)", sha256, ""), "userspace-log.register", "pcr"},
      {record_of(pcr, sha256, R"("nvIndexName":"login")"), "userspace-log.register", "pcr"},
      {record_of(R"("pcr":"11")", sha256, ""), "userspace-log.record", "pcr"},
      {record_of(R"("pcr":-1)", sha256, ""), "userspace-log.record", "pcr"},
      {record_of(pcr, "", ""), "userspace-log.digests", "digests"},
      {record_of(pcr, sha256 + "," + sha256, ""), "userspace-log.digests", "digests[1].digest"},
      {record_of(pcr, R"({"hashAlg":"sha1","digest":"00"})", ""), "userspace-log.digests", "digests[0].digest"},
      {record_of(pcr, R"({"hashAlg":"sha1","digest":"0g"})", ""), "userspace-log.digests", "digests[0].digest"},
      {record_of(pcr, R"({"hashAlg":4,"digest":"00"})", ""), "userspace-log.record", "digests[0].hashAlg"},
      {record_of(pcr, "7", ""), "userspace-log.record", "digests[0]"},
      {record_of(pcr, sha256, R"("string":7)"), "userspace-log.record", "content.string"},
      {record_of(pcr, sha256, R"("eventType":[])"), "userspace-log.record", "content.eventType"},
      {"\x1e{\"pcr\":1,\"digests\":[" + sha256 + "],\"content_type\":\"systemd\"}\n", "userspace-log.record",
       "content"},
      {record_of(pcr, sha256, "\"string\":\"" + std::string(kUserspaceRecordSizeMax, 'a') + "\""),
       "userspace-log.too-large", "JSON"},
  };
  for (const auto& one : cases) {
    const auto log = parsed(good + one.second);
    ASSERT_FALSE(log) << one.second.substr(0, 200);
    EXPECT_EQ(log.error().code, one.code) << one.second.substr(0, 200);
    EXPECT_NE(log.error().where.find("record 1"), std::string::npos) << log.error().where;
    EXPECT_NE(log.error().where.find(one.field), std::string::npos) << log.error().where;
  }
  EXPECT_EQ(parsed("{}" + good).error().code, "userspace-log.framing");
}

TEST(UserspaceLog, BoundsRecordsAndSize) {
  const std::string record = "\x1e{\"pcr\":1,\"digests\":[{\"hashAlg\":\"x\",\"digest\":\"\"}]}\n";
  std::string log;
  for (std::size_t i = 0; i < kUserspaceRecordsMax; ++i)
    log += record;
  EXPECT_EQ(parsed(log)->records.size(), kUserspaceRecordsMax);
  EXPECT_EQ(parsed(log + record).error().code, "userspace-log.too-large");
  EXPECT_EQ(parsed(std::string(kUserspaceLogSizeMax + 1, '\x1e')).error().code, "userspace-log.too-large");
}

TEST(UserspaceLog, L9_IsRefusedWhenCutInsideARecord) {
  const std::string log = log_of(kBoot);
  const auto whole = parsed(log);
  for (std::size_t size = 1; size < log.size(); ++size) {
    const auto cut = parsed(std::string_view(log).substr(0, size));
    EXPECT_EQ(cut.has_value(), log[size] == '\x1e') << size;
    if (!cut) {
      EXPECT_EQ(cut.error().code, "userspace-log.truncated") << size;
    }
  }
}

}  // namespace
}  // namespace warifu::measured_boot

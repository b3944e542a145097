#include "verifier/submission.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"

namespace warifu::verifier {
namespace {

const std::string kLogHash = to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes("log")}).bytes());

std::string evidence(const std::string& rest = {}) {
  return R"({"nonce":"AAAA","quote":"AQ==","signature":"Ag==","registers":{"sha256":{"0":")" + std::string(64, 'a') +
         R"("}})" + rest + "}";
}

TEST(Submission, ReadsWhatADeviceSends) {
  const auto least = parse_submission(evidence());
  ASSERT_TRUE(least) << to_string(least.error());
  EXPECT_EQ(least->quote, Bytes{1});
  EXPECT_FALSE(least->ima);
  const auto most = parse_submission(evidence(fmt::format(
      R"(,"boot_id":"b","event_log":{{"sha256":"{}","content":"bG9n"}},"userspace_log":"eA==","ima":{{"offset":7,"content":""}},)"
      R"("null_primary":{{"public":"AA==","attest":"AQ==","signature":"Ag=="}})",
      kLogHash)));
  ASSERT_TRUE(most) << to_string(most.error());
  EXPECT_EQ(most->event_log, to_bytes(as_bytes("log")));
  EXPECT_EQ(most->ima->offset, 7U);
  EXPECT_EQ(most->null_primary->attest, Bytes{1});
  EXPECT_FALSE(most->null_primary->recorded);
}

std::string recorded(const std::string& value) {
  return evidence(R"(,"null_primary":{"public":"AA==","attest":"AQ==","signature":"Ag==","recorded":)" + value + "}");
}

TEST(Submission, ReadsWhatABootRecorded) {
  const std::string name = "000b" + std::string(64, 'c');
  for (const char* source : {"kernel", "initramfs"}) {
    const auto parsed = parse_submission(recorded(fmt::format(R"({{"name":"{}","source":"{}"}})", name, source)));
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    EXPECT_EQ(parsed->null_primary->recorded->name.text(), name);
    EXPECT_EQ(to_string(parsed->null_primary->recorded->source), source);
  }
}

TEST(Submission, RefusesWhatIsNoEvidence) {
  const std::pair<std::string, std::string_view> rows[] = {
      {"", "json.syntax"},
      {"[]", "json.type"},
      {R"({"nonce":"AA=="})", "json.missing"},
      {evidence(R"(,"more":1)"), "json.unknown-field"},
      {evidence(R"(,"nonce":"AA==")"), "json.duplicate-key"},
      {evidence(R"(,"boot_id":"a b")"), "evidence.boot-id"},
      {evidence(",\"boot_id\":\"" + std::string(65, 'x') + "\""), "evidence.boot-id"},
      {evidence(R"(,"event_log":{"sha256":"00"})"), "evidence.hash"},
      {evidence(",\"event_log\":{\"sha256\":\"" + std::string(64, '0') + "\",\"content\":\"bG9n\"}"), "evidence.hash"},
      {evidence(R"(,"ima":{"offset":-1,"content":""})"), "json.type"},
      {evidence(R"(,"ima":{"offset":0,"content":"*"})"), "json.base64"},
      {evidence(R"(,"null_primary":{"public":"AA=="})"), "json.missing"},
      {recorded(R"("000b")"), "json.type"},
      {recorded(R"({"name":"000b"})"), "json.missing"},
      {recorded(R"({"name":"000b","source":"kernel"})"), "evidence.null-name"},
      {recorded(R"({"name":"","source":"kernel"})"), "evidence.null-name"},
      {recorded(R"({"name":"x","source":"kernel"})"), "evidence.null-name"},
      {recorded(R"({"name":"40000007","source":"kernel"})"), "evidence.null-name"},
      {recorded(R"({"name":"000c)" + std::string(96, 'c') + R"(","source":"kernel"})"), "evidence.null-name"},
      {recorded(R"({"name":"000b)" + std::string(66, 'c') + R"(","source":"kernel"})"), "evidence.null-name"},
      {recorded(R"({"name":"000b)" + std::string(64, 'c') + R"(","source":"me"})"), "evidence.null-name"},
      {recorded(R"({"name":"000b)" + std::string(64, 'c') + R"(","source":"kernel","more":1})"), "json.unknown-field"},
  };
  for (const auto& [json, code] : rows) {
    const auto parsed = parse_submission(json);
    ASSERT_FALSE(parsed) << json;
    EXPECT_EQ(parsed.error().code, code) << json << ": " << to_string(parsed.error());
  }
  const std::string whole = evidence();
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_FALSE(parse_submission(std::string_view(whole).substr(0, i)));
}

}  // namespace
}  // namespace warifu::verifier

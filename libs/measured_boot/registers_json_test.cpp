#include "measured_boot/registers_json.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

namespace warifu::measured_boot {
namespace {

const std::string kZeros(64, '0');

TEST(RegistersJson, ReadsBothFormsAndWritesTheFirst) {
  const std::string bare = R"({"sha256":{"0":")" + kZeros + R"(","23":")" + std::string(64, 'f') + R"("},"sha1":{}})";
  for (const std::string& text : {bare, R"({"format":"pfp-agile","register_kind":"PCR","pcrs":)" + bare + "}"}) {
    const auto values = parse_register_values(text);
    ASSERT_TRUE(values) << to_string(values.error());
    EXPECT_EQ(values->find(crypto::HashAlgorithm::kSha256, 23)->bytes()[31], 0xff);
    EXPECT_EQ(values->find(crypto::HashAlgorithm::kSha256, 1), nullptr);
    EXPECT_EQ(boost::json::serialize(to_json(*values)), bare);
  }
}

TEST(RegistersJson, RefusesWithThePlace) {
  const auto bank = [](const std::string& members) { return R"({"sha256":{)" + members + "}}"; };
  struct Row {
    std::string text;
    std::string_view code;
    std::string where;
  };
  for (const Row& row : {
           Row{R"({"sha255":{}})", "registers.bank", "sha255"},
           Row{R"({"sha256":[]})", "registers.bank", "sha256"},
           Row{bank(R"("32":")" + kZeros + "\""), "registers.index", "sha256.32"},
           Row{bank(R"("01":")" + kZeros + "\""), "registers.index", "sha256.01"},
           Row{bank(R"("-1":")" + kZeros + "\""), "registers.index", "sha256.-1"},
           Row{bank(R"("99999999999":")" + kZeros + "\""), "registers.index", "sha256.99999999999"},
           Row{bank(R"("1":")" + kZeros + "00\""), "registers.value", "sha256.1"},
           Row{bank(R"("1":")" + kZeros.substr(1) + "g\""), "registers.value", "sha256.1"},
           Row{bank(R"("1":0)"), "registers.value", "sha256.1"},
           Row{bank(R"("1":")" + kZeros + R"(","1":")" + kZeros + "\""), "json.duplicate-key", ""},
           Row{R"({"register_kind":"RTMR","pcrs":{}})", "registers.kind", "register_kind"},
           Row{R"({"pcrs":null})", "json.type", "pcrs"},
           Row{"[]", "json.type", ""},
       }) {
    const auto values = parse_register_values(row.text);
    ASSERT_FALSE(values) << row.text;
    EXPECT_EQ(values.error().code, row.code) << row.text;
    EXPECT_EQ(values.error().kind, ErrorKind::kInvalidInput);
    EXPECT_TRUE(row.where.empty() || values.error().where == row.where) << values.error().where;
  }
}

}  // namespace
}  // namespace warifu::measured_boot

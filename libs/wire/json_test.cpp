#include "wire/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::wire {
namespace {

using std::string_literals::operator""s;

TEST(ParseJson, AcceptsWhatIsWellFormed) {
  for (const std::string_view text :
       {"{}", "[]", "null", " {\"a\": 1 } ", "[1.5e3, -1, 18446744073709551615, -9223372036854775808]",
        "{\"a\":{\"x\":1},\"b\":{\"x\":1}}", "\"\\u00e4\\ud83d\\ude00\"", "\"\xc3\xa4\""})
    EXPECT_TRUE(parse_json(text)) << text;
}

TEST(ParseJson, RefusesWhatIsNotAndSaysWhere) {
  struct Row {
    std::string text;
    std::string_view code;
    std::string_view where;
  };
  const Row rows[] = {
      {"", "json.syntax", "offset 0"},
      {"{", "json.syntax", "offset 1"},
      {"{\"a\":1}x", "json.syntax", "offset 7"},
      {"{\"a\":1} {}", "json.syntax", "offset 8"},
      {"{\"a\":1,}", "json.syntax", "offset 7"},
      {"[1,2", "json.syntax", "offset 4"},
      {"{\"a\":1,\"a\":2}", "json.duplicate-key", ""},
      {"{\"a\":1,\"\\u0061\":2}", "json.duplicate-key", ""},
      {"[{\"b\":{\"a\":1,\"c\":2,\"a\":3}}]", "json.duplicate-key", ""},
      {"18446744073709551616", "json.number-range", ""},
      {"-9223372036854775809", "json.number-range", ""},
      {"[1e999]", "json.number-range", ""},
      {"[1e99999999999999999999]", "json.number-range", ""},
      {"\"\xff\"", "json.syntax", "offset 1"},
      {"\"\xc3\"", "json.syntax", ""},
      {"\"\xed\xa0\x80\"", "json.syntax", ""},
      {"\"\\ud800\"", "json.syntax", ""},
      {"\"\n\"", "json.syntax", "offset 1"},
      {"// comment\n1", "json.syntax", "offset 0"},
      {"NaN", "json.syntax", "offset 0"},
      {"01", "json.syntax", ""},
      {"\0"s, "json.syntax", "offset 0"},
  };
  for (const Row& row : rows) {
    const auto parsed = parse_json(row.text);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().code, row.code) << row.text;
    if (row.where.empty())
      EXPECT_THAT(parsed.error().where, testing::StartsWith("offset ")) << row.text;
    else
      EXPECT_EQ(parsed.error().where, row.where) << row.text;
  }
}

TEST(ParseJson, HoldsItsLimits) {
  const std::string deep = std::string(32, '[') + std::string(32, ']');
  EXPECT_TRUE(parse_json(deep));
  const auto too_deep = parse_json("[" + deep + "]");
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code, "json.too-deep");
  EXPECT_FALSE(parse_json("[[1]]", {.max_depth = 1}));

  EXPECT_TRUE(parse_json("[12]", {.max_bytes = 4}));
  const auto too_large = parse_json("[123]", {.max_bytes = 4});
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, "json.too-large");
}

TEST(JsonFields, GivesMembersWithTheirTypes) {
  const auto value = parse_json(R"({"s":"x","b":true,"n":7,"o":{"s":"y"},"a":[1],"z":null,"y":"AQI="})");
  ASSERT_TRUE(value);
  const auto fields = JsonFields::of(*value);
  ASSERT_TRUE(fields);
  EXPECT_EQ(*fields->required_string("s"), "x");
  EXPECT_EQ(*fields->optional_bool("b"), true);
  EXPECT_EQ(*fields->required_uint("n"), 7u);
  EXPECT_EQ((*fields->required_array("a"))->size(), 1u);
  EXPECT_EQ(*fields->required_object("o")->required_string("s"), "y");
  EXPECT_EQ(*fields->optional_string("absent"), std::nullopt);
  EXPECT_EQ(*fields->optional_string("z"), std::nullopt);
  EXPECT_EQ(*fields->required_bytes("y"), (Bytes{1, 2}));
  EXPECT_EQ(*fields->optional_bytes("z"), std::nullopt);
  EXPECT_EQ(*fields->optional_array("absent"), nullptr);
  EXPECT_TRUE(fields->refuse_unknown({"s", "b", "n", "o", "a", "z", "y"}));
}

TEST(JsonFields, NamesThePathOfWhatIsWrong) {
  const auto value = parse_json(R"({"tpm":{"endorsementKey":5,"count":-1}})");
  ASSERT_TRUE(value);
  const auto tpm = JsonFields::of(*value)->required_object("tpm");
  ASSERT_TRUE(tpm);

  const auto wrong = tpm->required_string("endorsementKey");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "json.type");
  EXPECT_EQ(wrong.error().where, "tpm.endorsementKey");
  EXPECT_EQ(tpm->optional_uint("count").error().code, "json.type");
  EXPECT_EQ(tpm->optional_bool("count").error().code, "json.type");
  EXPECT_EQ(tpm->optional_array("count").error().code, "json.type");
  EXPECT_EQ(tpm->optional_object("count").error().where, "tpm.count");
  EXPECT_EQ(tpm->required_string("absent").error().code, "json.missing");
  EXPECT_EQ(tpm->required_array("absent").error().where, "tpm.absent");

  EXPECT_EQ(tpm->required_bytes("count").error().code, "json.type");
  EXPECT_EQ(tpm->required_bytes("absent").error().code, "json.missing");
  const auto text = parse_json(R"({"quote":"no base64!"})");
  const auto no_base64 = JsonFields::of(*text)->optional_bytes("quote");
  ASSERT_FALSE(no_base64);
  EXPECT_EQ(no_base64.error().code, "json.base64");
  EXPECT_EQ(no_base64.error().where, "quote");

  const auto unknown = tpm->refuse_unknown({"endorsementKey"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "json.unknown-field");
  EXPECT_EQ(unknown.error().where, "tpm.count");
  EXPECT_EQ(JsonFields::of(boost::json::value(1), "root").error().where, "root");
}

}  // namespace
}  // namespace warifu::wire

#include "net/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::net {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Target, SplitsAndDecodesThePath) {
  const std::pair<std::string_view, std::vector<std::string>> rows[] = {
      {"/", {}},
      {"/0ne000A1B2C/registrations/my-device/register", {"0ne000A1B2C", "registrations", "my-device", "register"}},
      {"/a%20b/c%2Fd", {"a b", "c/d"}},
      {"/a+b", {"a+b"}},
      {"/console/", {"console", ""}},
      {"/%C3%A4", {"\xC3\xA4"}},
      {"/...", {"..."}},
      {"/a:b@c;d", {"a:b@c;d"}},
  };
  for (const auto& [text, segments] : rows) {
    const auto target = parse_target(text);
    ASSERT_TRUE(target) << text << ": " << to_string(target.error());
    EXPECT_EQ(target->segments, segments) << text;
  }
}

TEST(Target, DecodesTheQuery) {
  const auto target = parse_target("/x?api-version=2021-06-01&q=a+b%2Bc&flag&empty=&q=second");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->query, ElementsAre(Pair("api-version", "2021-06-01"), Pair("q", "a b+c"), Pair("flag", ""),
                                         Pair("empty", ""), Pair("q", "second")));
  EXPECT_EQ(target->parameter("q"), "a b+c");
  EXPECT_EQ(target->parameter("missing"), std::nullopt);
}

TEST(Target, RefusesWhatIsAmbiguousOrMalformed) {
  std::string deep;
  for (int i = 0; i < 33; ++i)
    deep += "/a";
  const std::string rows[] = {
      "",
      "*",
      "a/b",
      "https://host/a",
      "//a",
      "/a//b",  // other forms, ambiguous ones
      "/a%",
      "/a%2",
      "/a%zz",
      "/a%00b",
      "/a%0d%0ab",
      "/x?a=%00",
      "/x?%7f=1",  // escapes
      "/a b",
      "/a\"",
      "/a#fragment",
      "/\xC3\xA4",
      {"/a\0b", 4},  // characters
      "/a/../b",
      "/a/%2e%2E/b",
      "/.",
      "/a/..",  // dot segments
      "/" + std::string(4096, 'a'),
      deep,
      "/?" + std::string(32, '&'),  // limits
  };
  for (const std::string& text : rows) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text.substr(0, 40);
    EXPECT_EQ(target.error().code, "http.target");
  }
}

TEST(Target, LeavesWhatIsEncodedInOnePiece) {
  const std::pair<std::string_view, std::string> rows[] = {
      {"/ocsp/MEUw+QzBB/MD8//wPTA=", "MEUw+QzBB/MD8//wPTA="},
      {"/ocsp/MEUw%2BQzBB%2FMD8%2f/wPTA%3D", "MEUw+QzBB/MD8//wPTA="},
      {"/ocsp//a", "/a"},
      {"/ocsp/../x", "../x"},
      {"/ocsp/", ""},
      {"/ocsp/a?x=1", "a"},
  };
  for (const auto& [text, rest] : rows) {
    const auto target = parse_target(text, 6);
    ASSERT_TRUE(target) << text << ": " << to_string(target.error());
    EXPECT_THAT(target->segments, ElementsAre("ocsp", rest)) << text;
  }
  EXPECT_EQ(parse_target("/ocsp/a?x=1", 6)->parameter("x"), "1");
  EXPECT_THAT(parse_target("/ocs", 6)->segments, ElementsAre("ocs"));
  for (const std::string_view text : {"/ocsp/a%00", "/ocsp/a%2", "/ocsp/a b", "/oc//p/a", "ocsp//a", "/ocsp/a#b"})
    EXPECT_FALSE(parse_target(text, 6)) << text;
  EXPECT_FALSE(parse_target("/ocsp/" + std::string(4096, 'a'), 6));
  EXPECT_TRUE(parse_target("/ocsp/" + std::string(64, '/'), 6));
}

}  // namespace
}  // namespace warifu::net

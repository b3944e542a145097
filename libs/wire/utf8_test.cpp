#include "wire/utf8.h"

#include <gtest/gtest.h>

namespace warifu::wire {
namespace {

TEST(Utf8, IsMeasuredSequenceBySequence) {
  const std::pair<std::string_view, std::size_t> rows[] = {
      {"a", 1},
      {std::string_view("\0", 1), 1},
      {"\xC2\xA0", 2},
      {"\xE8\xA8\xBC", 3},
      {"\xF0\x9F\x94\x91", 4},
      {"", 0},
      {"\x80", 0},              // a continuation
      {"\xC0\x80", 0},          // overlong
      {"\xE0\x9F\xBF", 0},      // overlong
      {"\xED\xA0\x80", 0},      // a surrogate
      {"\xF4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xE8\xA8", 0},          // cut
  };
  for (const auto& [text, length] : rows)
    EXPECT_EQ(utf8_length(text), length) << text;
}

TEST(Utf8, KeepsWhatIsTextAndMarksTheRest) {
  EXPECT_EQ(to_utf8("/usr/\xE8\xA8\xBC\xE6\x98\x8E"), "/usr/\xE8\xA8\xBC\xE6\x98\x8E");
  EXPECT_EQ(to_utf8("a\xFF\xE8\xA8z"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(to_utf8(""), "");
}

}  // namespace
}  // namespace warifu::wire

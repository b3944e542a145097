#include "base/time_text.h"

#include <gtest/gtest.h>

namespace warifu {
namespace {

TEST(TimeText, ReadsWhatToRfc3339Writes) {
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'796'083'200'000'123}}) {
    const Timestamp time = from_micros(micros);
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time) << micros;
  }
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01Z"), from_micros(1'000'000));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.25Z"), from_micros(250'000));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), from_micros(1'709'164'800'000'000));
}

TEST(TimeText, WritesEveryYearOfFourDigits) {
  for (const char* text : {"0000-01-01T00:00:00.000000Z", "0999-12-31T23:59:59.999999Z", "1677-01-01T00:00:00.000000Z",
                           "2262-04-12T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"})
    EXPECT_EQ(to_rfc3339(parse_rfc3339(text).value()), text);
}

TEST(TimeText, RefusesWhatIsNoTimeInUtc) {
  for (const char* wrong : {"",
                            "Z",
                            "2026-12-01",
                            "2026-12-01T00:00:00",
                            "2026-12-01T00:00:00+09:00",
                            "2026-12-01t00:00:00Z",
                            "2026-12-01 00:00:00Z",
                            "2026-13-01T00:00:00Z",
                            "2026-02-29T00:00:00Z",
                            "2026-12-00T00:00:00Z",
                            "2026-12-01T24:00:00Z",
                            "2026-12-01T00:60:00Z",
                            "2026-12-01T00:00:60Z",
                            "2026-12-01T00:00:00.Z",
                            "2026-12-01T00:00:00.1234567Z",
                            "2026-12-01T00:00:00.1xZ",
                            "2026-12-01T00:00:00xZ",
                            "2026-12-01T00:00:00ZZ",
                            " 2026-12-01T00:00:00Z",
                            "-026-12-01T00:00:00Z",
                            "+026-12-01T00:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

}  // namespace
}  // namespace warifu

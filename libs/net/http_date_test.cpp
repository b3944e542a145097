#include "net/http_date.h"

#include <gtest/gtest.h>

namespace warifu::net {
namespace {

// The first is the example of RFC 9110 §5.6.7, the others are what date(1) says.
TEST(HttpDate, IsWrittenAsTheRfcWantsIt) {
  const std::pair<std::int64_t, std::string_view> rows[] = {
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},  {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {1709164799, "Wed, 28 Feb 2024 23:59:59 GMT"}, {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
      {1798675200, "Thu, 31 Dec 2026 00:00:00 GMT"}, {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
  };
  for (const auto& [second, text] : rows)
    EXPECT_EQ(http_date(Timestamp(std::chrono::seconds(second)) + std::chrono::microseconds(999'999)), text);
}

}  // namespace
}  // namespace warifu::net

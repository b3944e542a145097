// Files that are no log, because nothing was ever written to them.
#include <gtest/gtest.h>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/test_log.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

std::string code_of(ByteView bytes) {
  const auto log = parse_event_log(bytes);
  return log ? "accepted" : std::string(log.error().code);
}

TEST(EventLog, L11_PaddingAloneIsNoLog) {
  for (const std::uint8_t filler : Bytes{0x00, 0xFF})
    for (const std::size_t size : {32u, 33u, 64u, 4096u})
      EXPECT_EQ(code_of(Bytes(size, filler)), "eventlog.empty") << int{filler} << " " << size;
  // One bit is enough to be an event, and what follows it is padding.
  Bytes one(4096);
  one[8] = 1;
  EXPECT_EQ(code_of(one), "accepted");
  EXPECT_EQ(code_of(LogWriter({HashAlgorithm::kSha256}).bytes()), "accepted");
}

}  // namespace
}  // namespace warifu::measured_boot

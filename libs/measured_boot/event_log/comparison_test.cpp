#include "measured_boot/event_log/comparison.h"

#include <gtest/gtest.h>

#include "measured_boot/claims/test_claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

TEST(EventLog, L8_ABankThatFirmwareDidNotUseIsRefused) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  const auto quoted = [&](const crypto::Digest& value, RegisterIndex first) {
    Bank bank(kSha256);
    for (RegisterIndex index = 0; index < 8; ++index)
      bank.set(index, index < first ? *replay(*log).find(kSha256, index) : value);
    return compare(*log, bank);
  };
  EXPECT_EQ(quoted(crypto::Digest(kSha256), 0).error().code, "eventlog.bank-unused");
  EXPECT_EQ(quoted(crypto::digest(kSha256, {Bytes(4)}), 0).error().code, "eventlog.bank-unused");
  const auto real = quoted(crypto::Digest(kSha256), 8);
  ASSERT_TRUE(real) << to_string(real.error());
  EXPECT_FALSE(real->confirmed().test(9));
  Bank equal_ones(kSha256);
  for (const RegisterIndex index : {2u, 3u, 6u})
    equal_ones.set(index, *replay(*log).find(kSha256, index));
  ASSERT_EQ(*equal_ones.find(2), *equal_ones.find(6));
  EXPECT_TRUE(compare(*log, equal_ones)) << "separators alone, as on many machines";
  // Capped, and the sender leaves PCR 0 out.
  for (const RegisterIndex also : {4u, 7u}) {
    Bank without_zero(kSha256);
    for (const RegisterIndex index : {2u, 3u, also})
      without_zero.set(index, *equal_ones.find(2));
    const auto unused = compare(*log, without_zero);
    ASSERT_FALSE(unused) << also;
    EXPECT_EQ(unused.error().code, "eventlog.bank-unused");
  }
  EXPECT_EQ(compare(*log, Bank(HashAlgorithm::kSha384)).error().code, "eventlog.bank-missing");
}

TEST(EventLog, L14_AgreesOnlyWhenAllOfFirmwareIsQuoted) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  const Bank all = replay(*log, kSha256);
  ASSERT_TRUE(compare(*log, all)->agrees());
  for (RegisterIndex missing = 0; missing < 8; ++missing) {
    Bank quoted(kSha256);
    for (const auto& [index, value] : all.registers())
      if (index != missing) quoted.set(index, value);
    const auto comparison = compare(*log, quoted);
    ASSERT_TRUE(comparison);
    EXPECT_FALSE(comparison->agrees()) << missing;
    EXPECT_EQ(comparison->unquoted_firmware, RegisterSet(1U << missing));
  }
  Bank debug(kSha256);
  debug.set(16, crypto::Digest(kSha256));
  EXPECT_FALSE(compare(*log, debug)->agrees());
}

TEST(EventLog, L9_AShortenedLogIsFoundByTheQuote) {
  const LogWriter whole = grub_boot();
  const LogWriter longer = grub_boot().event(9, EventType::kIpl, "one more");
  const auto quoted = replay(*parse_event_log(longer.bytes()), kSha256);
  const auto comparison = compare(*parse_event_log(whole.bytes()), quoted);
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->agrees());
  EXPECT_FALSE(comparison->confirmed().test(9));
  EXPECT_TRUE(comparison->confirmed().test(8));
  EXPECT_TRUE(compare(*parse_event_log(longer.bytes()), quoted)->agrees());
}

TEST(EventLog, L14_EachRegisterIsComparedByItself) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  Bank quoted = replay(*log, kSha256);
  crypto::Digest other = *quoted.find(0);
  other.writable()[0] ^= 1;
  quoted.set(0, other);
  const auto comparison = compare(*log, quoted);
  ASSERT_TRUE(comparison);
  for (const auto& [index, answer] : comparison->registers)
    EXPECT_EQ(answer == RegisterComparison::Answer::kEqual, index != 0) << index;
}

TEST(EventLog, L15_ARegisterThatTheLogDoesNotExplainIsUnlogged) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  Bank quoted = replay(*log, kSha256);
  quoted.set(11, crypto::digest(kSha256, {as_bytes("enter-initrd")}));
  quoted.set(12, crypto::Digest(kSha256));
  const auto comparison = compare(*log, quoted);
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->agrees());
  EXPECT_FALSE(comparison->confirmed().test(11));
  EXPECT_TRUE(comparison->confirmed().test(12));
}

}  // namespace
}  // namespace warifu::measured_boot

#include "front/limits/rate_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::front {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::nanoseconds kNow = 0ns;

class RateTableTest : public ::testing::Test {
 protected:
  // What one key gets at once before it must wait.
  static std::size_t at_once(RateTable& table, std::uint64_t key, std::chrono::nanoseconds now) {
    std::size_t count = 0;
    while (table.find(key, now).wait(1) == kNow) {
      table.find(key, now).take(1);
      ++count;
    }
    return count;
  }

  sim::SeededEntropy entropy_{1};
  RateTable table_{{.per_second = 10, .burst = 5}, 64, entropy_};
};

TEST_F(RateTableTest, GivesABurstAndThenTheRate) {
  EXPECT_EQ(at_once(table_, 1, 1s), 5u);
  EXPECT_EQ(table_.find(1, 1s).wait(1), 100ms);
  EXPECT_EQ(at_once(table_, 1, 1s + 99ms), 0u);
  EXPECT_EQ(at_once(table_, 1, 1s + 100ms), 1u);
  EXPECT_EQ(at_once(table_, 1, 1s + 400ms), 3u);
  // It does not save up more than its burst.
  EXPECT_EQ(at_once(table_, 1, 1h), 5u);
}

TEST_F(RateTableTest, LetsEachWaitForWhoWasThereBefore) {
  EXPECT_EQ(at_once(table_, 1, 1s), 5u);
  table_.find(1, 1s).take(1);
  EXPECT_EQ(table_.find(1, 1s).wait(1), 200ms);
  EXPECT_EQ(table_.find(1, 1s).wait(3), 400ms);
}

TEST_F(RateTableTest, CountsEachKeyForItself) {
  EXPECT_EQ(at_once(table_, 1, 1s), 5u);
  EXPECT_EQ(at_once(table_, 2, 1s), 5u);
  // Of the same set.
  EXPECT_EQ(at_once(table_, 1 + 64, 1s), 5u);
  EXPECT_EQ(at_once(table_, 1, 1s), 0u);
}

TEST_F(RateTableTest, CountsSmallRequestsAndLargeOnesTogether) {
  table_.find(1, 1s).take(4);
  EXPECT_EQ(table_.find(1, 1s).wait(1), kNow);
  EXPECT_EQ(table_.find(1, 1s).wait(4), 300ms);
}

// Whoever is full, and so loses nothing, goes first; the spender is remembered.
TEST_F(RateTableTest, ForgetsFullBucketsFirst) {
  EXPECT_EQ(at_once(table_, 0, 1s), 5u);
  for (std::uint64_t other = 1; other < 1'000; ++other)
    table_.find(other * 64, 1s).take(1);
  EXPECT_EQ(at_once(table_, 0, 1s), 0u);
}

TEST_F(RateTableTest, GivesWhoWasForgottenABurstAndTakesNothing) {
  EXPECT_EQ(at_once(table_, 0, 1s), 5u);
  for (std::uint64_t other = 1; other <= 8; ++other)
    table_.find(other * 64, 1s).take(6);
  EXPECT_EQ(at_once(table_, 0, 1s), 5u);
}

TEST_F(RateTableTest, TellsKeysApartByTheirParts) {
  EXPECT_EQ(table_.key_of({"a", "bc"}), table_.key_of({"a", "bc"}));
  EXPECT_NE(table_.key_of({"a", "bc"}), table_.key_of({"ab", "c"}));
  EXPECT_NE(table_.key_of({"a"}), table_.key_of({"a", ""}));
}

// Nobody can work out on his own machine which keys share a set.
TEST_F(RateTableTest, HashesByAKeyOfItsOwn) {
  const RateTable other({.per_second = 10, .burst = 5}, 64, entropy_);
  EXPECT_NE(table_.key_of({"a"}), other.key_of({"a"}));
}

// What a flood of made-up IDs from elsewhere does to a client that is over its rate, with the defaults: as good as
// nothing, because most sets still hold a full bucket.
TEST_F(RateTableTest, RemembersASpenderThroughAFloodOfMadeUpKeys) {
  const RequestLimits limits;
  RateTable table(limits.registration, limits.registration_slots, entropy_);
  std::size_t remembered = 0;
  constexpr int kSpenders = 100;
  for (int i = 0; i < kSpenders; ++i)
    at_once(table, table.key_of({"spender", std::to_string(i)}), 1s);
  // All that one address may ask in a second, with its burst.
  for (std::uint32_t i = 0; i < limits.address.burst + limits.address.per_second; ++i)
    table.find(table.key_of({"flood", std::to_string(i)}), 1s).take(limits.challenge_cost);
  for (int i = 0; i < kSpenders; ++i)
    remembered += table.find(table.key_of({"spender", std::to_string(i)}), 1s).wait(1) > kNow ? 1U : 0U;
  EXPECT_EQ(remembered, static_cast<std::size_t>(kSpenders));
}

}  // namespace
}  // namespace warifu::front

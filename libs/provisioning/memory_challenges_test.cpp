#include "provisioning/memory_challenges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <tuple>

#include "sim/deterministic.h"

namespace warifu::provisioning {
namespace {

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const ScopeId kOtherScope = ScopeId::parse("0ne00000002").value();
const Timestamp kNow{std::chrono::seconds(1'790'000'000)};
constexpr std::chrono::seconds kLifetime{300};

RegistrationId meter(std::size_t number) {
  return RegistrationId::parse("meter-" + std::to_string(number)).value();
}

class MemoryChallengesTest : public ::testing::Test {
 protected:
  SealedChallenge make(Timestamp now = kNow) {
    Bytes key(61);
    entropy_.fill(key);
    return {Uuid::v7(now, entropy_), Uuid::v7(now, entropy_), std::move(key), {1}, {2}, {3}, {4}, now + kLifetime};
  }
  // Adds a challenge and tells its ID, or nothing if the table refused.
  std::optional<Uuid> add(MemoryChallenges& table, const RegistrationId& registration, Timestamp now = kNow) {
    SealedChallenge challenge = make(now);
    const Uuid id = challenge.challenge_id;
    const Status added = table.add(kScope, registration, std::move(challenge), now);
    if (added) return id;
    EXPECT_EQ(added.error().kind, ErrorKind::kThrottled);
    EXPECT_EQ(added.error().code, "challenge.too_many");
    return std::nullopt;
  }
  static bool holds(MemoryChallenges& table, const RegistrationId& registration, const Uuid& id, Timestamp now = kNow) {
    const auto live = table.find(kScope, registration, now).value();
    return std::ranges::any_of(live, [&](const SealedChallenge& c) { return c.challenge_id == id; });
  }

  sim::SeededEntropy entropy_{1};
};

TEST_F(MemoryChallengesTest, FindsTheNewestFirst) {
  MemoryChallenges table;
  const auto first = add(table, meter(1));
  const auto second = add(table, meter(1));
  const auto live = table.find(kScope, meter(1), kNow).value();
  ASSERT_EQ(live.size(), 2U);
  EXPECT_EQ(live[0].challenge_id, second);
  EXPECT_EQ(live[1].challenge_id, first);
}

TEST_F(MemoryChallengesTest, FindsNothingForAnotherRegistrationOrScope) {
  MemoryChallenges table;
  const auto id = add(table, meter(1));
  EXPECT_TRUE(holds(table, meter(1), *id));
  EXPECT_FALSE(holds(table, meter(2), *id));
  EXPECT_TRUE(table.find(kOtherScope, meter(1), kNow)->empty());
}

TEST_F(MemoryChallengesTest, KeepsTwoForARegistrationAndTheThirdReplacesTheOldest) {
  MemoryChallenges table;
  const auto first = add(table, meter(1));
  const auto second = add(table, meter(1));
  ASSERT_TRUE(holds(table, meter(1), *first));
  const auto third = add(table, meter(1));
  EXPECT_FALSE(holds(table, meter(1), *first));
  EXPECT_TRUE(holds(table, meter(1), *second));
  EXPECT_TRUE(holds(table, meter(1), *third));
  EXPECT_EQ(table.size(), 2u);
}

TEST_F(MemoryChallengesTest, FindsAChallengeUntilItsExpiryAndNotAtIt) {
  MemoryChallenges table;
  const auto id = add(table, meter(1));
  EXPECT_TRUE(holds(table, meter(1), *id, kNow + kLifetime - std::chrono::microseconds(1)));
  EXPECT_FALSE(holds(table, meter(1), *id, kNow + kLifetime));
}

TEST_F(MemoryChallengesTest, RefusesWhenItIsFullOfLiveChallenges) {
  MemoryChallenges table(4);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(add(table, meter(i)));
  EXPECT_FALSE(add(table, meter(4)));
  EXPECT_FALSE(add(table, meter(0)));  // one is outstanding there: a second would be one more
  EXPECT_EQ(table.size(), 4u);
}

TEST_F(MemoryChallengesTest, StillReplacesARegistrationsOwnWhenItIsFull) {
  MemoryChallenges table(4);
  for (std::size_t i = 0; i < 4; ++i)
    ASSERT_TRUE(add(table, meter(i / 2)));
  EXPECT_TRUE(add(table, meter(0)));
  EXPECT_EQ(table.size(), 4u);
}

TEST_F(MemoryChallengesTest, TakesChallengesAgainOnceTheOldOnesExpired) {
  MemoryChallenges table(4);
  // More than once: emptying it must not make it forget when the next ones expire.
  for (int flood = 0; flood < 3; ++flood) {
    const Timestamp now = kNow + flood * kLifetime;
    for (std::size_t i = 0; i < 4; ++i)
      ASSERT_TRUE(add(table, meter(i), now)) << "flood " << flood;
    EXPECT_FALSE(add(table, meter(4), now));
    EXPECT_FALSE(add(table, meter(4), now + kLifetime - std::chrono::microseconds(1)));
  }
}

TEST_F(MemoryChallengesTest, TakesChallengesAgainOnceOneWasConsumed) {
  MemoryChallenges table(2);
  const auto first = add(table, meter(1));
  ASSERT_TRUE(add(table, meter(2)));
  ASSERT_FALSE(add(table, meter(3)));
  table.remove(kScope, meter(1), *first);
  EXPECT_TRUE(add(table, meter(3)));
}

TEST_F(MemoryChallengesTest, RemovesOneChallengeAndNoOther) {
  MemoryChallenges table;
  const auto first = add(table, meter(1));
  const auto second = add(table, meter(1));
  table.remove(kScope, meter(1), *first);
  table.remove(kScope, meter(1), *first);
  table.remove(kOtherScope, meter(1), *second);
  table.remove(kScope, meter(2), *second);
  EXPECT_FALSE(holds(table, meter(1), *first));
  EXPECT_TRUE(holds(table, meter(1), *second));
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(MemoryChallengesTest, PurgesWhatHasExpiredAndNothingElse) {
  MemoryChallenges table;
  const auto old = add(table, meter(1));
  const auto young = add(table, meter(1), kNow + std::chrono::seconds(1));
  ASSERT_TRUE(add(table, meter(2)));
  table.purge(kNow + kLifetime);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_FALSE(holds(table, meter(1), *old));
  EXPECT_TRUE(holds(table, meter(1), *young));
}

TEST_F(MemoryChallengesTest, GivesBackAllThatWasStored) {
  MemoryChallenges table;
  const SealedChallenge challenge = make();
  ASSERT_TRUE(table.add(kScope, meter(1), challenge, kNow));
  const auto found = table.find(kScope, meter(1), kNow).value().at(0);
  const auto fields = [](const SealedChallenge& c) {
    return std::tie(c.challenge_id, c.enrollment_id, c.sealed_key, c.ek_name, c.ek_public, c.srk_name, c.srk_public,
                    c.expires_at);
  };
  EXPECT_EQ(fields(found), fields(challenge));
}

// What the sanitizer of threads looks at; the counts hold under any schedule.
TEST_F(MemoryChallengesTest, CountsRightWhenThreadsShareIt) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kRounds = 200;
  MemoryChallenges table(kThreads * 2);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t round = 0; round < kRounds; ++round) {
        const auto id = add(table, meter(t));
        ASSERT_TRUE(id);
        EXPECT_TRUE(holds(table, meter(t), *id));
        if (round % 3 == 0) table.remove(kScope, meter(t), *id);
        if (round % 50 == 0) table.purge(kNow);
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_LE(table.size(), kThreads * 2);
  table.purge(kNow + kLifetime);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace warifu::provisioning

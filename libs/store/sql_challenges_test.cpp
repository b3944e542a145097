// What Challenges promises, in memory and in a database.
#include "store/sql_challenges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/memory_challenges.h"
#include "store/conformance_world_test.h"

namespace warifu::store {
namespace {

using provisioning::Challenges;
using provisioning::SealedChallenge;

constexpr std::size_t kLimit = 4;
constexpr std::chrono::seconds kLifetime{300};

auto fields(const SealedChallenge& c) {
  return std::tie(c.challenge_id, c.enrollment_id, c.sealed_key, c.ek_name, c.ek_public, c.srk_name, c.srk_public,
                  c.expires_at, c.peer_network, c.has_known_keys);
}

struct Shared {
  World world;
  std::unique_ptr<Store> store;  // made the tables
  std::unique_ptr<PostgresLooseWrites> writes;
  std::unique_ptr<Challenges> challenges;
};

struct Kind {
  const char* name;
  void (*open)(Shared&);
  void (*limit)(Shared&, std::size_t);
};

void limit_memory(Shared& shared, std::size_t limit) {
  shared.challenges = std::make_unique<provisioning::MemoryChallenges>(limit);
}
void limit_postgres_challenges(Shared& shared, std::size_t limit) {
  shared.challenges = std::make_unique<SqlChallenges>(*shared.writes, limit);
}
void open_memory(Shared& shared) {
  limit_memory(shared, kLimit);
}
void open_postgres_challenges(Shared& shared) {
  shared.store = open_postgres(shared.world);
  auto writes = PostgresLooseWrites::open({.url = shared.world.url});
  ASSERT_TRUE(writes);
  shared.writes = *std::move(writes);
  limit_postgres_challenges(shared, kLimit);
}

constexpr Kind kKinds[] = {{"Memory", open_memory, limit_memory},
                           {"PostgreSQL", open_postgres_challenges, limit_postgres_challenges}};

class ChallengesConformance : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { GetParam().open(shared_); }
  void TearDown() override { shared_.writes.reset(); }

  // Each a little later than the one before.
  SealedChallenge make() {
    shared_.world.clock.advance(std::chrono::microseconds(1));
    const std::uint64_t number = ++made_;
    return {Uuid::v7(now(), shared_.world.entropy),
            sample::uuid(sample::Kind::kEnrollment, number),
            sample::bytes(61, number),
            sample::bytes(34, number),
            sample::bytes(314, number),
            sample::bytes(34, number + 1),
            Bytes(),
            now() + kLifetime,
            "here"};
  }
  SealedChallenge make_of(std::string network) {
    auto challenge = make();
    challenge.peer_network = std::move(network);
    return challenge;
  }
  SealedChallenge make_known() {
    auto challenge = make();
    challenge.has_known_keys = true;
    return challenge;
  }
  void make_room() { GetParam().limit(shared_, Challenges::kOutstandingMax); }
  Timestamp now() const { return shared_.world.clock.now(); }
  // "", or the code of the refusal.
  std::string add(std::uint64_t device, const SealedChallenge& challenge, Challenges* to = nullptr) {
    const Status added = (to != nullptr ? *to : *shared_.challenges)
                             .add(sample::scope(), sample::registration(device), challenge, now());
    return added ? "" : std::string(added.error().code);
  }
  std::vector<Uuid> live(std::uint64_t device, std::string_view scope = "0ne00000001") {
    const auto found = shared_.challenges->find(sample::scope(scope), sample::registration(device), now());
    EXPECT_TRUE(found) << to_string(found.error());
    std::vector<Uuid> ids;
    for (const auto& challenge : *found)
      ids.push_back(challenge.challenge_id);
    return ids;
  }
  // What was removed or purged may take effect later.
  template <class Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 200 && !condition(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
  }

  Shared shared_;
  std::uint64_t made_ = 0;
};

TEST_P(ChallengesConformance, GiveBackAllThatWasStored) {
  const auto challenge = make();
  ASSERT_EQ(add(1, challenge), "");
  const auto found = shared_.challenges->find(sample::scope(), sample::registration(1), now()).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(fields(found[0]), fields(challenge));
  EXPECT_THAT(live(2), testing::IsEmpty());
  EXPECT_THAT(live(1, "another"), testing::IsEmpty());
  EXPECT_EQ(shared_.challenges->size(), 1U);
}

TEST_P(ChallengesConformance, KeepTwoOfANetworkNewestFirst) {
  const auto first = make();
  const auto second = make();
  const auto third = make();
  for (const auto& challenge : {first, second})
    ASSERT_EQ(add(1, challenge), "");
  EXPECT_THAT(live(1), testing::ElementsAre(second.challenge_id, first.challenge_id));
  ASSERT_EQ(add(1, third), "");
  EXPECT_THAT(live(1), testing::ElementsAre(third.challenge_id, second.challenge_id));
  EXPECT_EQ(shared_.challenges->size(), 2U);
}

TEST_P(ChallengesConformance, OfOneNetworkPushOutNoneOfAnother) {
  make_room();
  const auto own = make_of("the plant");
  ASSERT_EQ(add(1, own), "");
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(add(1, make_of("an attacker's")), "");
  EXPECT_EQ(live(1).size(), 3U);
  EXPECT_EQ(live(1).back(), own.challenge_id);
}

TEST_P(ChallengesConformance, OfKnownKeysArePushedOutByNoOthers) {
  make_room();
  const auto first = make_known();
  const auto second = make_known();
  const auto third = make_known();
  for (const auto& challenge : {first, second})
    ASSERT_EQ(add(1, challenge), "");
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(add(1, make_of("network " + std::to_string(i))), "");
  auto left = live(1);
  EXPECT_EQ(left.size(), Challenges::kOfOthersMax + 2);
  EXPECT_EQ(shared_.challenges->size(), Challenges::kOfOthersMax + 2);
  EXPECT_THAT(left, testing::Contains(first.challenge_id));
  EXPECT_THAT(left, testing::Contains(second.challenge_id));
  // They make room for each other, and for nobody else.
  ASSERT_EQ(add(1, third), "");
  left = live(1);
  EXPECT_EQ(left.size(), Challenges::kOfOthersMax + 2);
  EXPECT_THAT(left, testing::Not(testing::Contains(first.challenge_id)));
  EXPECT_THAT(left, testing::Contains(second.challenge_id));
}

TEST_P(ChallengesConformance, EndAtTheirExpiry) {
  ASSERT_EQ(add(1, make()), "");
  shared_.world.clock.advance(kLifetime - std::chrono::microseconds(1));
  EXPECT_EQ(live(1).size(), 1U);
  shared_.world.clock.advance(std::chrono::microseconds(1));
  EXPECT_EQ(live(1).size(), 0U);
}

TEST_P(ChallengesConformance, AreBoundedAndStillReplaceARegistrationsOwn) {
  for (const std::uint64_t device : {1U, 1U, 2U, 3U})
    ASSERT_EQ(add(device, make()), "");
  EXPECT_EQ(add(4, make()), "challenge.too_many");
  EXPECT_EQ(add(2, make()), "challenge.too_many") << "it has one: a second would be one more";
  EXPECT_EQ(add(1, make()), "");
  EXPECT_EQ(shared_.challenges->size(), kLimit);
  shared_.world.clock.advance(kLifetime);
  EXPECT_EQ(add(4, make()), "") << "the others have expired";
}

TEST_P(ChallengesConformance, HaveRoomAgainOnceOneWasConsumed) {
  const auto first = make();
  ASSERT_EQ(add(1, first), "");
  for (const std::uint64_t device : {2U, 3U, 4U})
    ASSERT_EQ(add(device, make()), "");
  ASSERT_EQ(add(5, make()), "challenge.too_many");
  shared_.challenges->remove(sample::scope("another"), sample::registration(1), first.challenge_id);
  shared_.challenges->remove(sample::scope(), sample::registration(1), first.challenge_id);
  shared_.challenges->remove(sample::scope(), sample::registration(1), first.challenge_id);
  EXPECT_TRUE(eventually([&] { return live(1).empty() && shared_.challenges->size() == kLimit - 1; }));
  EXPECT_EQ(add(5, make()), "");
}

TEST_P(ChallengesConformance, ArePurgedWhenTheyHaveExpired) {
  ASSERT_EQ(add(1, make()), "");
  shared_.world.clock.advance(std::chrono::seconds(10));
  const auto young = make();
  ASSERT_EQ(add(1, young), "");
  shared_.world.clock.advance(kLifetime - std::chrono::seconds(5));
  shared_.challenges->purge(now());
  EXPECT_TRUE(eventually([&] { return shared_.challenges->size() == 1; }));
  EXPECT_THAT(live(1), testing::ElementsAre(young.challenge_id));
}

INSTANTIATE_TEST_SUITE_P(Challenges, ChallengesConformance, testing::ValuesIn(kKinds),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

class SharedChallengesTest : public ChallengesConformance {};

TEST_P(SharedChallengesTest, AreSeenByEveryNodeAndCountedTogether) {
  const auto other_writes = PostgresLooseWrites::open({.url = shared_.world.url}).value();
  SqlChallenges other(*other_writes, kLimit);
  const auto challenge = make();
  ASSERT_EQ(add(1, challenge, &other), "");
  EXPECT_THAT(live(1), testing::ElementsAre(challenge.challenge_id));
  for (const std::uint64_t device : {2U, 3U, 4U})
    ASSERT_EQ(add(device, make(), &other), "");
  shared_.world.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(add(5, make()), "challenge.too_many") << "counted when this node adds its first";
}

TEST_P(SharedChallengesTest, AreNotSyncedToTheDisk) {
  ASSERT_TRUE(shared_.writes->run([](Connection& connection) -> Status {
    EXPECT_EQ(connection
                  .integer("SELECT count(*) FROM pg_settings WHERE name = 'synchronous_commit' AND setting = "
                           "'off'")
                  .value(),
              1);
    return {};
  }));
}

INSTANTIATE_TEST_SUITE_P(Challenges, SharedChallengesTest, testing::Values(kKinds[1]),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace warifu::store

#include "front/revocation/standings.h"

#include <gtest/gtest.h>

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::revocation {
namespace {

using device_ca::State;
using std::chrono::hours;
using std::chrono::seconds;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class StandingsTest : public testing::Test {
 protected:
  static crypto::SerialNumber serial(int number) {
    Bytes bytes(16, 0x40);
    bytes[14] = static_cast<std::uint8_t>(number >> 8);
    bytes[15] = static_cast<std::uint8_t>(number);
    return crypto::SerialNumber::from_bytes(bytes).value();
  }
  // A row as another node, or this one, would write it.
  device_ca::DeviceCertificate row(int number, State state, Timestamp changed_at) {
    const Timestamp now = world_.clock.now();
    return {.scope = test::scope_id(),
            .serial = serial(number),
            .registration_id = RegistrationId::parse("meter-1").value(),
            .ground = {Uuid::v7(now, world_.entropy)},
            .state = state,
            .key_sha256 = Bytes(32, 1),
            .public_key = Bytes(91, 2),
            .not_before = now,
            .not_after = now + hours(10),
            .created_at = now,
            .changed_at = changed_at,
            .certificate = Bytes(10, 3)};
  }
  void insert(const std::vector<device_ca::DeviceCertificate>& rows) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      for (const auto& one : rows)
        TRY_STATUS(t.device_ca().insert_certificate(one));
      return t.audit().record(test::scope_id(), {"test", "certificate.issue", "certificate:1"});
    }));
  }
  void update(const device_ca::DeviceCertificate& one) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.device_ca().update_certificate(one));
      return t.audit().record(test::scope_id(), {"test", "certificate.change", "certificate:1"});
    }));
  }
  void look() {
    for (bool has_more = true; has_more;)
      has_more = standings_.look().value();
  }
  bool may_not_count(int number) const { return standings_.may_not_count(serial(number).bytes()); }

  static constexpr hours kMonth{31 * 24};

  World world_;
  sim::SteppingMonotonicClock ticks_;
  Standings standings_{world_.clock, ticks_, world_.entropy, *world_.store};
  const Timestamp start_ = world_.clock.now();
};

TEST_F(StandingsTest, AreFilledPageByPageAndReliedOnWhenThatIsDone) {
  constexpr int kCount = static_cast<int>(2 * Standings::kPage) + 7;
  std::vector<device_ca::DeviceCertificate> rows;
  for (int i = 0; i < kCount; ++i)
    rows.push_back(row(i,
                       i % 3 == 0   ? State::kHeld
                       : i % 3 == 1 ? State::kInactive
                                    : State::kRevoked,
                       start_ - hours(1)));
  rows.push_back(row(30'000, State::kActive, start_ - hours(1)));
  rows.push_back(row(30'001, State::kIssuing, start_ - hours(1)));
  insert(rows);
  EXPECT_TRUE(may_not_count(30'000)) << "nothing is known yet";
  ASSERT_TRUE(standings_.look().value());
  EXPECT_EQ(standings_.size(), Standings::kPage);
  EXPECT_TRUE(may_not_count(30'000));
  EXPECT_FALSE(standings_.is_current());
  look();
  EXPECT_EQ(standings_.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i)
    ASSERT_TRUE(may_not_count(i)) << i;
  EXPECT_FALSE(may_not_count(30'000));
  EXPECT_TRUE(standings_.is_current());
}

TEST_F(StandingsTest, FollowWhatChanges) {
  insert({row(1, State::kActive, start_), row(2, State::kHeld, start_), row(3, State::kActive, start_)});
  look();
  const auto before = standings_.changes();
  look();
  EXPECT_EQ(standings_.changes(), before) << "what was seen is no change";
  world_.clock.advance(seconds(5));
  update(row(1, State::kRevoked, world_.clock.now()));
  update(row(2, State::kActive, world_.clock.now()));
  insert({row(4, State::kInactive, world_.clock.now()), row(5, State::kActive, world_.clock.now())});
  EXPECT_FALSE(may_not_count(1));
  look();
  EXPECT_TRUE(may_not_count(1));
  EXPECT_FALSE(may_not_count(2));
  EXPECT_FALSE(may_not_count(3));
  EXPECT_TRUE(may_not_count(4));
  EXPECT_EQ(standings_.changes(), before + 3) << "of one that is good from the start no list tells";
}

// Held, then revoked: it stays, and a list says another reason.
TEST_F(StandingsTest, CountAChangeOfWhatWasBadAlready) {
  insert({row(1, State::kHeld, start_)});
  look();
  const auto before = standings_.changes();
  update(row(1, State::kRevoked, start_ + seconds(1)));
  look();
  EXPECT_TRUE(may_not_count(1));
  EXPECT_EQ(standings_.changes(), before + 1);
}

// Another node's clock is behind, or its change took long: it is seen after ones that claim to be later.
TEST_F(StandingsTest, FindWhatComesLateWithAnEarlierTime) {
  insert({row(1, State::kActive, start_), row(2, State::kActive, start_)});
  world_.clock.advance(seconds(100));
  update(row(1, State::kRevoked, world_.clock.now()));
  look();
  ASSERT_TRUE(may_not_count(1));
  update(row(2, State::kRevoked, world_.clock.now() - seconds(55)));
  look();
  EXPECT_TRUE(may_not_count(2));
}

// One clock was an hour ahead for a moment. What everybody else changes from now on is earlier than that.
TEST_F(StandingsTest, AreNotBlindedByAClockThatIsAhead) {
  insert({row(1, State::kActive, start_), row(2, State::kRevoked, start_ + hours(1))});
  look();
  ASSERT_TRUE(may_not_count(2));
  world_.clock.advance(seconds(10));
  update(row(1, State::kHeld, world_.clock.now()));
  look();
  EXPECT_TRUE(may_not_count(1));
}

TEST_F(StandingsTest, AreNotReliedOnWhenNobodyCouldLook) {
  insert({row(1, State::kActive, start_)});
  look();
  ticks_.advance(Standings::kStaleAfter - seconds(1));
  EXPECT_FALSE(may_not_count(1));
  ticks_.advance(seconds(1));
  EXPECT_TRUE(may_not_count(1));
  look();
  EXPECT_FALSE(may_not_count(1));
}

TEST_F(StandingsTest, LetGoOfWhatHasExpired) {
  auto for_life = row(1, State::kRevoked, start_);
  for_life.not_after = crypto::kForLife;
  insert({for_life, row(2, State::kRevoked, start_), row(3, State::kHeld, start_)});
  look();
  ASSERT_EQ(standings_.size(), 3U);
  world_.clock.advance(Standings::kSweepInterval - seconds(1));
  look();
  EXPECT_EQ(standings_.size(), 3U);
  world_.clock.advance(seconds(1));
  look();
  EXPECT_EQ(standings_.size(), 1U);
  EXPECT_TRUE(may_not_count(1));
}

// By a clock that is a month ahead it has expired.
TEST_F(StandingsTest, AreReadAnewWhenTheClockWasSetBack) {
  insert({row(1, State::kRevoked, start_ - hours(1)), row(2, State::kActive, start_ - hours(1))});
  world_.clock.advance(kMonth);
  look();
  ASSERT_FALSE(may_not_count(1));
  world_.clock.advance(-kMonth);
  ASSERT_TRUE(standings_.look().value());
  EXPECT_FALSE(standings_.is_current()) << "until all is read the database has the word";
  EXPECT_TRUE(may_not_count(2));
  look();
  EXPECT_TRUE(standings_.is_current());
  EXPECT_TRUE(may_not_count(1));
  EXPECT_FALSE(may_not_count(2));
}

TEST_F(StandingsTest, KnowWhatWasLetGoBeforeTheClockWasSetBack) {
  insert({row(1, State::kRevoked, start_ - hours(1))});
  look();
  world_.clock.advance(kMonth);
  look();
  ASSERT_EQ(standings_.size(), 0U);
  world_.clock.advance(-kMonth);
  look();
  EXPECT_TRUE(may_not_count(1));
  world_.clock.advance(Standings::kSweepInterval);
  look();
  EXPECT_EQ(standings_.size(), 0U) << "a day after the clock was set right, not a month";
}

TEST_F(StandingsTest, GoOnWhenTheClockIsSetBackALittle) {
  insert({row(1, State::kActive, start_ - hours(1))});
  look();
  world_.clock.advance(-Standings::kStepBack);
  EXPECT_FALSE(standings_.look().value()) << "nothing is read anew";
  EXPECT_FALSE(may_not_count(1));
  world_.clock.advance(-seconds(1));
  EXPECT_TRUE(standings_.look().value()) << "many small steps are a large one";
}

TEST_F(StandingsTest, SeeEveryScope) {
  look();
  const ScopeId other = ScopeId::parse("0ne00000002").value();
  test::must(world_.server.make_scope(other));
  auto one = row(1, State::kHeld, start_);
  one.scope = other;
  insert({one});
  look();
  EXPECT_TRUE(may_not_count(1));
}

}  // namespace
}  // namespace warifu::front::revocation

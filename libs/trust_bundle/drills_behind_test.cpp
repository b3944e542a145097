// What an organisation practises before it happens: devices that were away, or are kept in the past.
#include <gtest/gtest.h>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

class BundleDrillBehind : public testing::Test {
 protected:
  TestOrganisation people_;
  const TrustedBundle first_ = people_.begun();
};

TEST_F(BundleDrillBehind, ADeviceThatMissedThreeRotationsFollowsThemAll) {
  const std::vector<std::vector<std::string>> teams = {{"Ann", "bob"}, {"Dan", "eve"}, {"Fay", "gil"}, {"Hal", "ivy"}};
  std::vector<Envelope> missed;
  auto newest = first_;
  for (std::size_t i = 1; i < teams.size(); ++i) {
    auto next = TestOrganisation::after(newest);
    next.signing = people_.set(2, teams[i]);
    const std::vector<std::string> both = {teams[i - 1][0], teams[i - 1][1], teams[i][0], teams[i][1]};
    missed.push_back(people_.signed_by(next, both));
    newest = people_.take(newest, next, both);
  }
  const auto followed = first_.advance_through(missed);
  EXPECT_FALSE(followed.error);
  EXPECT_EQ(followed.taken, 3u);
  EXPECT_EQ(followed.reached.digest(), newest.digest());
  EXPECT_EQ(newest.advance_through(std::span(missed).last(1)).taken, 1u) << "nothing new is no error";

  // With one of them missing it comes as far as it can, and says which is needed.
  missed.erase(missed.begin() + 1);
  const auto stopped = first_.advance_through(missed);
  EXPECT_EQ(stopped.taken, 1u);
  EXPECT_EQ(stopped.reached.version(), 2u);
  ASSERT_TRUE(stopped.error);
  EXPECT_EQ(stopped.error->code, "bundle.gap");
  EXPECT_NE(stopped.error->message.find("expected version 3, 4 came"), std::string::npos) << stopped.error->message;
}

TEST_F(BundleDrillBehind, ADeviceThatWasAwayForYearsFollowsBundlesThatHaveExpired) {
  std::vector<Envelope> missed;
  auto newest = first_;
  for (int year = 1; year <= 3; ++year) {
    auto next = TestOrganisation::after(newest);
    next.issued_at = day(365 * year - 10);
    next.expires_at = day(365 * (year + 1));
    missed.push_back(people_.signed_by(next, {"Ann", "bob"}));
    newest = people_.take(newest, next, {"Ann", "bob"});
  }
  const Timestamp now = day(3 * 365 + 5);
  EXPECT_EQ(code_of(first_.check_fresh(now)), "bundle.expired");
  const auto followed = first_.advance_through(missed);
  EXPECT_EQ(followed.taken, 3u);
  EXPECT_TRUE(followed.reached.check_fresh(now));
  EXPECT_EQ(code_of(first_.advance_through(std::span(missed).first(2)).reached.check_fresh(now)), "bundle.expired");
}

TEST_F(BundleDrillBehind, AnOlderBundleIsRefused) {
  const auto second = people_.take(first_, TestOrganisation::after(first_), {"Ann", "bob"});
  const auto older = people_.signed_by(first_.contents(), {"Root-1", "Ann", "bob", "Cid", "Xia", "yul", "Zoe"});
  EXPECT_EQ(code_of(second.advance(older)), "bundle.rollback");
}

TEST_F(BundleDrillBehind, AHeldBackBundleIsNoticedWhenTheOldOneEnds) {
  EXPECT_TRUE(first_.check_fresh(day(0)));
  EXPECT_TRUE(first_.check_fresh(day(365) - std::chrono::microseconds(1)));
  EXPECT_EQ(code_of(first_.check_fresh(day(365))), "bundle.expired");
  EXPECT_EQ(code_of(first_.check_fresh(day(4000))), "bundle.expired");
}

TEST_F(BundleDrillBehind, ASecondBundleOfTheSameVersionIsAFork) {
  const auto here = TestOrganisation::after(first_);
  auto there = TestOrganisation::after(first_);
  there.roles.pop_back();
  const auto second = people_.take(first_, here, {"Ann", "bob"});
  EXPECT_EQ(code_of(second.advance(people_.signed_by(there, {"Ann", "bob", "Cid"}))), "bundle.fork");
  const auto same = second.advance(people_.signed_by(here, {}));
  ASSERT_TRUE(same) << to_string(same.error());
  EXPECT_FALSE(*same) << "nothing new";
}

TEST_F(BundleDrillBehind, AClockThatWasSetBackCountsAsTheDayOfIssue) {
  auto next = TestOrganisation::after(first_);
  next.issued_at = day(400);
  next.expires_at = day(600);
  const auto second = people_.take(first_, next, {"Ann", "bob"});
  const Timestamp set_back = day(-10000);
  EXPECT_TRUE(second.check_fresh(set_back));
  EXPECT_TRUE(first_.check_fresh(set_back)) << "all that the first one knows is when it was issued";
  const Timestamp known = std::max(set_back, second.contents().issued_at);
  EXPECT_EQ(code_of(first_.check_fresh(known)), "bundle.expired") << "who has seen a newer one knows better";
}

TEST_F(BundleDrillBehind, WhoeverRevokesMovesNoClockPastTheEnd) {
  auto late = TestOrganisation::revoking(first_, {people_.revoked("code", "code-signing")});
  late.issued_at = first_.contents().expires_at;
  EXPECT_EQ(code_of(Payload::write(late)), "bundle.format");
  late.issued_at -= std::chrono::microseconds(1);
  EXPECT_EQ(people_.take(first_, late, {"Xia", "yul"}).version(), 2u);
}

}  // namespace
}  // namespace warifu::trust_bundle

// Trust bundles on their way from the server to the TCB: which are asked for, of whom, and what goes on without them.
#include "agent/bundle_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/runner.h"
#include "agent/test_world.h"
#include "tcb_protocol/limits.h"
#include "trust_bundle/limits.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::uint64_t version_of(const std::string& json) {
  const auto envelope = trust_bundle::Envelope::parse(json).value();
  return trust_bundle::Payload::parse(envelope.payload())->contents().version;
}

class BundleFollowerTest : public test::AgentTest {
 protected:
  BundleFollowerTest() {
    trust_.version_of = version_of;
    tcb_.trust = &trust_;
    auto contents = people_.first();
    for (contents.version = 1; contents.version <= 6; ++contents.version)
      all_.push_back(people_.signed_by(contents, {"Root-1"}).to_json());
    serve(3);
  }
  void serve(std::size_t count) { server_.bundles.assign(all_.begin(), all_.begin() + static_cast<long>(count)); }
  static std::string path(int version) { return "/api/v1/device/trust-bundle/" + std::to_string(version); }

  trust_bundle::TestOrganisation people_;
  std::vector<std::string> all_;
  test::ScriptedTrust trust_;
  const std::string latest_ = "/api/v1/device/trust-bundle";
};

TEST_F(BundleFollowerTest, BeginsWithTheNewestThatTheTcbMayBeginWithAndFollows) {
  serve(6);
  trust_.begins_with = {1, 2, 4};
  ASSERT_TRUE(contact());
  EXPECT_EQ(trust_.version, 6U);
  EXPECT_THAT(trust_.offered, ElementsAre(6, 5, 4, 5, 6));
  EXPECT_THAT(server_.fetched_from_anybody, IsEmpty()) << "the server was known";
  EXPECT_EQ(calls("check"), 2) << "whom the bundle before believed is judged anew";
}

// The drill "three missed rotations".
TEST_F(BundleFollowerTest, CatchesUpWithThoseThatItMissed) {
  serve(6);
  trust_.version = 3;
  ASSERT_TRUE(contact());
  EXPECT_THAT(trust_.offered, ElementsAre(4, 5, 6));
  EXPECT_THAT(server_.fetched, ElementsAre(latest_, path(4), path(5)));
}

TEST_F(BundleFollowerTest, AsksForNothingTwice) {
  trust_.version = 2;
  Contact contact(outside_);
  ASSERT_TRUE(contact.make(Registering::kAlways));
  ASSERT_TRUE(contact.make(Registering::kIfNeeded));
  ASSERT_TRUE(contact.make(Registering::kIfNeeded));
  EXPECT_THAT(trust_.offered, ElementsAre(3)) << "the second and the third answer were 304";
  EXPECT_THAT(server_.fetched, ElementsAre(latest_, latest_, latest_));
}

// TPM2_Clear takes it from the TCB while the agent runs.
TEST_F(BundleFollowerTest, BringsItAgainToATcbThatHasItNoMore) {
  trust_.begins_with = {1};
  Contact contact(outside_);
  ASSERT_TRUE(contact.make(Registering::kAlways));
  ASSERT_EQ(trust_.version, 3U);
  trust_.version = 0;
  ASSERT_TRUE(contact.make(Registering::kIfNeeded));
  EXPECT_EQ(trust_.version, 3U);
}

TEST_F(BundleFollowerTest, FollowsTheRestAtTheNextContact) {
  constexpr std::uint64_t kLatest = BundleFollower::kAtOnceMax + 3;
  server_.bundles.clear();
  auto contents = people_.first();
  for (contents.version = 1; contents.version <= kLatest; ++contents.version)
    server_.bundles.push_back(people_.signed_by(contents, {"bob"}).to_json());
  trust_.version = 1;
  Contact contact(outside_);
  ASSERT_TRUE(contact.make(Registering::kAlways));
  EXPECT_EQ(trust_.version, kLatest - 2);
  ASSERT_TRUE(contact.make(Registering::kIfNeeded));
  EXPECT_EQ(trust_.version, kLatest);
}

TEST_F(BundleFollowerTest, LetsTheTcbCompareTheOneThatItHas) {
  trust_.version = 3;
  ASSERT_TRUE(contact());
  EXPECT_THAT(trust_.offered, ElementsAre(3)) << "it may be another one of this version";
  EXPECT_EQ(calls("check"), 1);
}

TEST_F(BundleFollowerTest, SaysThatTheServerWentBackAndGoesOn) {
  trust_.version = 5;
  ASSERT_TRUE(contact());
  EXPECT_THAT(trust_.offered, IsEmpty());
  EXPECT_THAT(progress_.text, HasSubstr("hands out trust bundle 3, and this device has seen 5"));
  EXPECT_THAT(progress_.text, HasSubstr("[bundle.rollback]"));
}

TEST_F(BundleFollowerTest, AsksFirstForTheOneThatTheTpmRemembers) {
  serve(6);
  trust_.at_least = 4;
  trust_.begins_with = {4};
  trust_.refuses = "bundle.rollback";
  trust_.on_taken = [&](std::uint64_t version) {
    if (version == 4) trust_.refuses.reset();
  };
  ASSERT_TRUE(contact());
  EXPECT_THAT(trust_.offered, ElementsAre(4, 5, 6));
}

// A device that was away while root or roles were changed knows its server no more.
TEST_F(BundleFollowerTest, AsksAnybodyWhenTheServerIsNotKnownAnyMoreAndTellsNothing) {
  for (const char* code : {"crypto.path.issuer", "tcb.server.revoked", "bundle.rollback"}) {
    trust_.version = 1;
    trust_.refuses = code;
    trust_.on_taken = [&](std::uint64_t version) {
      if (version == 3) trust_.refuses.reset();
    };
    server_.fetched_from_anybody.clear();
    server_.requests.clear();
    ASSERT_TRUE(contact()) << code;
    EXPECT_THAT(server_.fetched_from_anybody, ElementsAre(latest_, path(2)));
    EXPECT_EQ(requests("escrow-certificate"), 1) << "after the server was judged";
  }
}

TEST_F(BundleFollowerTest, RefusesTheServerWhenAnybodyHasNothingNew) {
  trust_.version = 3;
  trust_.refuses = "tcb.server.revoked";
  EXPECT_EQ(contact().error().code, "tcb.server.revoked");
  EXPECT_THAT(server_.requests, IsEmpty());
  server_.bundles.clear();
  EXPECT_EQ(contact().error().code, "tcb.server.revoked");
}

TEST_F(BundleFollowerTest, AsksNobodyElseWhenTheHandshakeWasChanged) {
  tcb_.server_ok = false;
  EXPECT_EQ(contact().error().code, "tcb.handshake.nonce");
  EXPECT_THAT(server_.fetched_from_anybody, IsEmpty());
}

TEST_F(BundleFollowerTest, GoesOnWithoutBundlesAndWithWhatIsNone) {
  server_.bundles.clear();
  ASSERT_TRUE(contact());
  EXPECT_THAT(progress_.text, Not(HasSubstr("trust bundle")));
  for (const char* body : {"", "{", "[]", R"({"payloadType":"x","payload":"","signatures":[]})"}) {
    server_.bundles = {body};
    progress_.text.clear();
    ASSERT_TRUE(contact()) << body;
    EXPECT_THAT(progress_.text, HasSubstr("trust bundle: ")) << body;
    EXPECT_THAT(progress_.text, HasSubstr("[server.reply]")) << body;
  }
  EXPECT_THAT(trust_.offered, IsEmpty());
}

TEST_F(BundleFollowerTest, SaysWhyTheTcbTakesNoneAndGoesOn) {
  ASSERT_TRUE(contact());
  EXPECT_THAT(trust_.offered, ElementsAre(3, 2, 1));
  EXPECT_THAT(progress_.text, HasSubstr("[bundle.pinned-root]"));
}

TEST_F(BundleFollowerTest, HandsALargeOneOverInParts) {
  trust_.begins_with = {1};
  server_.bundles = {all_[0] + std::string(tcb_protocol::kBundlePartMax, ' ')};
  ASSERT_TRUE(contact());
  EXPECT_EQ(trust_.version, 1U);
}

TEST_F(BundleFollowerTest, SaysOnceThatABundleEndedAndGoesOn) {
  trust_.version = 3;
  trust_.is_expired = true;
  Contact contact(outside_);
  ASSERT_TRUE(contact.make(Registering::kAlways));
  ASSERT_TRUE(contact.make(Registering::kIfNeeded));
  const auto at = progress_.text.find("trust bundle 3 ended at 2027-");
  ASSERT_NE(at, std::string::npos) << progress_.text;
  EXPECT_EQ(progress_.text.find("trust bundle 3 ended", at + 1), std::string::npos);
}

TEST_F(BundleFollowerTest, LetsTlsKnowTheRootsOfTheTcb) {
  trust_.version = 3;
  ASSERT_TRUE(contact());
  EXPECT_THAT(server_.trusted_also, ElementsAre(Bytes(8, 0), Bytes(8, 1)));
}

TEST_F(BundleFollowerTest, DoesWithoutWithAnOlderTcb) {
  tcb_.trust = nullptr;
  ASSERT_TRUE(contact());
  EXPECT_THAT(server_.fetched, IsEmpty());
}

// A hostile server can make a device ask, but not for ever.
TEST_F(BundleFollowerTest, EndsWhateverAServerMakesUp) {
  auto contents = people_.first();
  contents.version = trust_bundle::kVersionMax;
  server_.bundles = {people_.signed_by(contents, {"Root-1"}).to_json()};
  ASSERT_TRUE(contact());
  EXPECT_LT(server_.fetched.size(), 5U);
  EXPECT_THAT(progress_.text, HasSubstr("trust bundle: "));
}

}  // namespace
}  // namespace warifu::agent

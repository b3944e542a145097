#include "operators/known_tokens.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "operators/token.h"
#include "sim/deterministic.h"

namespace warifu::operators {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kNow{seconds(1'790'000'000)};

class KnownTokensTest : public testing::Test {
 protected:
  Principal principal(Timestamp expires_at) {
    return {ScopeId::parse("0ne00000001").value(), Uuid::v7(kNow, entropy_), Label::parse("ci").value(),
            Permissions::all(), expires_at};
  }

  sim::SeededEntropy entropy_{1};
  const std::string bearer_ = "Bearer " + make_token(TokenKind::kAccess, entropy_);
  const std::string other_ = "Bearer " + make_token(TokenKind::kAccess, entropy_);
  KnownTokens tokens_;
};

TEST_F(KnownTokensTest, KnowsATokenThatWasLookedUp) {
  EXPECT_FALSE(tokens_.find(bearer_, 0, kNow));
  const Principal found = principal(kNow + seconds(60));
  tokens_.keep(bearer_, 0, found, kNow);
  const auto known = tokens_.find(bearer_, 0, kNow);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->actor(), found.actor());
  EXPECT_FALSE(tokens_.find(other_, 0, kNow));
  EXPECT_FALSE(tokens_.find(bearer_.substr(7), 0, kNow)) << "not a bearer's";
}

TEST_F(KnownTokensTest, ForgetsAllWhenTheRecordsChange) {
  tokens_.keep(bearer_, 3, principal(kNow + seconds(60)), kNow);
  EXPECT_FALSE(tokens_.find(bearer_, 4, kNow));
  tokens_.keep(other_, 4, principal(kNow + seconds(60)), kNow);
  EXPECT_FALSE(tokens_.find(bearer_, 4, kNow)) << "what was found in version 3 says nothing of version 4";
  EXPECT_TRUE(tokens_.find(other_, 4, kNow));
}

// Two threads look a token up while it is being revoked; the slower one saw it before that.
TEST_F(KnownTokensTest, KeepsNothingThatWasReadBeforeAChange) {
  tokens_.keep(other_, 4, principal(kNow + seconds(60)), kNow);
  tokens_.keep(bearer_, 3, principal(kNow + seconds(60)), kNow);
  EXPECT_FALSE(tokens_.find(bearer_, 4, kNow));
  EXPECT_FALSE(tokens_.find(bearer_, 3, kNow));
}

TEST_F(KnownTokensTest, TrustsNothingForLongerThanASecondOrPastItsEnd) {
  tokens_.keep(bearer_, 0, principal(kNow + seconds(60)), kNow);
  EXPECT_TRUE(tokens_.find(bearer_, 0, kNow + milliseconds(999)));
  EXPECT_FALSE(tokens_.find(bearer_, 0, kNow + seconds(1)));
  EXPECT_FALSE(tokens_.find(bearer_, 0, kNow - milliseconds(1))) << "a clock that was set back";
  tokens_.keep(other_, 0, principal(kNow + milliseconds(10)), kNow);
  EXPECT_TRUE(tokens_.find(other_, 0, kNow + milliseconds(9)));
  EXPECT_FALSE(tokens_.find(other_, 0, kNow + milliseconds(10)));
}

TEST_F(KnownTokensTest, KeepsNoServiceKeys) {
  tokens_.keep("SharedAccessSignature sr=x", 0, principal(kNow + seconds(60)), kNow);
  EXPECT_FALSE(tokens_.find("SharedAccessSignature sr=x", 0, kNow));
}

TEST_F(KnownTokensTest, HoldsABoundedNumber) {
  std::string last;
  for (int i = 0; i < 5000; ++i) {
    last = "Bearer " + make_token(TokenKind::kAccess, entropy_);
    tokens_.keep(last, 0, principal(kNow + seconds(60)), kNow);
    ASSERT_LE(tokens_.size(), 1024U);
  }
  EXPECT_TRUE(tokens_.find(last, 0, kNow));
}

}  // namespace
}  // namespace warifu::operators

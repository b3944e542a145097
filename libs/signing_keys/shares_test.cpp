#include "signing_keys/shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "crypto/system_entropy.h"

namespace warifu::signing_keys {
namespace {

class Shares : public testing::Test {
 protected:
  Result<SecretBytes> combined(const std::vector<std::size_t>& which) const {
    std::vector<Share> some;
    for (const std::size_t i : which)
      some.push_back(Share::parse(as_text(shares_[i].to_text().reveal())).value());
    return combine(some);
  }
  std::string text(std::size_t i) const { return std::string(as_text(shares_[i].to_text().reveal())); }

  crypto::SystemEntropy entropy_;
  SecretBytes secret_ = SecretBytes::random(entropy_, 32);
  std::vector<Share> shares_ = split(secret_, {3, 5}, entropy_).value();
};

TEST_F(Shares, AnyThreeOfFiveAreTheSecret) {
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = a + 1; b < 5; ++b)
      for (std::size_t c = b + 1; c < 5; ++c) {
        const auto found = combined({c, a, b});
        ASSERT_TRUE(found) << to_string(found.error());
        EXPECT_TRUE(std::ranges::equal(found->reveal(), secret_.reveal()));
      }
  EXPECT_TRUE(std::ranges::equal(combined({0, 1, 2, 3, 4})->reveal(), secret_.reveal()));
}

TEST_F(Shares, FewerAreRefusedAndSayNothing) {
  EXPECT_EQ(combined({0, 1}).error().code, "share.too_few");
  EXPECT_EQ(combine({}).error().code, "share.too_few");
  // With a lie about the threshold something comes out, and it is not the secret.
  std::vector<Share> two;
  for (const std::size_t i : {0U, 1U}) {
    two.push_back(Share::parse(text(i)).value());
    two.back().scheme.threshold = 2;
  }
  EXPECT_FALSE(std::ranges::equal(combine(two)->reveal(), secret_.reveal()));
}

TEST_F(Shares, OfAnotherSplitOrTwiceAreRefused) {
  EXPECT_EQ(combined({0, 1, 1}).error().code, "share.twice");
  const auto others = split(secret_, {3, 5}, entropy_).value();
  std::vector<Share> mixed;
  mixed.push_back(Share::parse(text(0)).value());
  mixed.push_back(Share::parse(text(1)).value());
  mixed.push_back(Share::parse(as_text(others[2].to_text().reveal())).value());
  EXPECT_EQ(combine(mixed).error().code, "share.set");
}

TEST_F(Shares, AreFreshWithEachSplit) {
  const auto others = split(secret_, {3, 5}, entropy_).value();
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_FALSE(std::ranges::equal(others[i].part.reveal(), shares_[i].part.reveal()));
}

TEST_F(Shares, MayBeTypedInGroups) {
  std::string grouped;
  for (const char c : text(0)) {
    grouped += c;
    if (grouped.size() % 9 == 8) grouped += ' ';
  }
  EXPECT_EQ(Share::parse("  " + grouped + "\n")->number, 1);
}

TEST_F(Shares, MayBeTypedInCapitals) {
  std::string capitals = text(0);
  for (char& c : capitals)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto share = Share::parse(capitals);
  ASSERT_TRUE(share) << to_string(share.error());
  EXPECT_TRUE(std::ranges::equal(share->part.reveal(), shares_[0].part.reveal()));
}

TEST_F(Shares, AnyWrongCharacterIsFound) {
  const std::string whole = text(0);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string wrong = whole;
    wrong[i] = wrong[i] == '1' ? '2' : '1';
    EXPECT_FALSE(Share::parse(wrong)) << wrong;
    EXPECT_FALSE(Share::parse(whole.substr(0, i))) << i;
  }
  EXPECT_EQ(Share::parse(whole + "0").error().code, "share.form");
  EXPECT_EQ(Share::parse(whole + "-00").error().code, "share.form");
}

TEST_F(Shares, SchemesThatShareNothingAreRefused) {
  for (const ShareScheme scheme : {ShareScheme{0, 0}, {1, 5}, {1, 1}, {6, 5}, {2, 21}})
    EXPECT_EQ(split(secret_, scheme, entropy_).error().code, "share.scheme");
  EXPECT_EQ(split(SecretBytes(), {2, 3}, entropy_).error().code, "share.scheme");
}

}  // namespace
}  // namespace warifu::signing_keys

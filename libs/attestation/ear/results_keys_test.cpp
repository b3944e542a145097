#include "attestation/ear/results_keys.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <vector>

namespace warifu::attestation {
namespace {

using namespace std::chrono_literals;

ResultsKeys node(std::uint8_t seed = 7) {
  return ResultsKeys(SecretBytes(Bytes(32, seed)));
}

// Where a period begins.
constexpr Timestamp kStart{std::chrono::days(90 * 230)};

std::vector<std::string> listed(const ResultsKeys& keys, Timestamp at) {
  std::vector<std::string> ids;
  const auto set = boost::json::parse(keys.jwks(at));
  for (const auto& key : set.at("keys").as_array()) {
    EXPECT_FALSE(key.as_object().contains("d"));
    ids.emplace_back(key.at("kid").as_string());
  }
  return ids;
}

TEST(ResultsKeys, AreTheSameOnNodesThatShareTheirMasterKeyAndOnNoOthers) {
  EXPECT_EQ(node().jwks(kStart + 40 * 24h), node().jwks(kStart + 40 * 24h));
  EXPECT_NE(node().jwks(kStart + 40 * 24h), node(8).jwks(kStart + 40 * 24h));
}

TEST(ResultsKeys, ChangeWithThePeriod) {
  const auto keys = node();
  EXPECT_EQ(keys.signer(kStart)->key_id(), keys.signer(kStart + 90 * 24h - 1us)->key_id());
  EXPECT_NE(keys.signer(kStart)->key_id(), keys.signer(kStart - 1us)->key_id());
}

TEST(ResultsKeys, AreListedADayBeforeTheFirstResultAndADayAfterTheLast) {
  const auto keys = node();
  const auto before = keys.signer(kStart - 1us)->key_id();
  const auto after = keys.signer(kStart)->key_id();
  EXPECT_EQ(listed(keys, kStart - 25h), (std::vector{before}));
  EXPECT_EQ(listed(keys, kStart - 23h), (std::vector{before, after}));
  EXPECT_EQ(listed(keys, kStart), (std::vector{before, after}));
  EXPECT_EQ(listed(keys, kStart + 23h), (std::vector{before, after}));
  EXPECT_EQ(listed(keys, kStart + 24h), (std::vector{after}));
}

// A result that was signed in the last moment of a period can be verified for as long as it lives.
TEST(ResultsKeys, AreListedForAsLongAsAResultLives) {
  const auto keys = node();
  for (auto at = kStart - 2 * 24h; at < kStart + 2 * 24h; at += 1h) {
    const auto signer = keys.signer(at)->key_id();
    for (const auto later : {0h, 1h, 23h}) {
      const auto ids = listed(keys, at + later);
      EXPECT_NE(std::ranges::find(ids, signer), ids.end());
    }
  }
}

}  // namespace
}  // namespace warifu::attestation

#include "provisioning/shared_key_cache.h"

#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::provisioning {
namespace {

class SharedKeyCacheTest : public ::testing::Test {
 protected:
  SymmetricKeyAttestation seal(std::uint8_t key) {
    return seal_shared_keys(envelope_key_, scope_, id_, {SecretBytes(Bytes(32, key)), SecretBytes(Bytes(32, 0))},
                            entropy_);
  }
  Result<SharedKeyCache::Keys> open(const SymmetricKeyAttestation& sealed) {
    return cache_.open(envelope_key_, scope_, id_, sealed, now_);
  }

  sim::SeededEntropy entropy_{1};
  const SecretBytes envelope_key_{Bytes(32, 0xE7)};
  const ScopeId scope_ = ScopeId::parse("0ne00000001").value();
  Timestamp now_{std::chrono::seconds(1'790'000'000)};
  const Uuid id_ = Uuid::v7(now_, entropy_);
  SharedKeyCache cache_;
};

TEST_F(SharedKeyCacheTest, OpensOnceAMinute) {
  const auto sealed = seal(1);
  const auto first = open(sealed).value();
  EXPECT_EQ(first->primary.reveal()[0], 1);
  now_ += SharedKeyCache::kLifetime - std::chrono::microseconds(1);
  EXPECT_EQ(open(sealed).value(), first);
  now_ += std::chrono::microseconds(1);
  EXPECT_NE(open(sealed).value(), first);
  now_ -= std::chrono::hours(1);
  EXPECT_NE(open(sealed).value(), first);
}

TEST_F(SharedKeyCacheTest, AKeyThatWasChangedIsOpenedAtOnce) {
  ASSERT_EQ(open(seal(1)).value()->primary.reveal()[0], 1);
  EXPECT_EQ(open(seal(2)).value()->primary.reveal()[0], 2);
}

TEST_F(SharedKeyCacheTest, IsForTheScopeAndGenerationThatItWasSealedFor) {
  const auto sealed = seal(1);
  ASSERT_TRUE(open(sealed));
  EXPECT_FALSE(cache_.open(envelope_key_, ScopeId::parse("another").value(), id_, sealed, now_));
  EXPECT_FALSE(cache_.open(envelope_key_, scope_, Uuid::v7(now_, entropy_), sealed, now_));
  EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(SharedKeyCacheTest, WipesWhatWasOpenForAMinute) {
  const std::weak_ptr<const SharedKeys> keys = open(seal(1)).value();
  cache_.purge(now_ + SharedKeyCache::kLifetime - std::chrono::microseconds(1));
  EXPECT_FALSE(keys.expired());
  cache_.purge(now_ + SharedKeyCache::kLifetime);
  EXPECT_TRUE(keys.expired());
  EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(SharedKeyCacheTest, HoldsSoManyAndNoMore) {
  for (std::size_t i = 0; i <= SharedKeyCache::kSizeMax; ++i) {
    const Uuid id = Uuid::v7(now_, entropy_);
    const auto sealed =
        seal_shared_keys(envelope_key_, scope_, id, {SecretBytes(Bytes(32, 1)), SecretBytes(Bytes(32, 2))}, entropy_);
    ASSERT_TRUE(cache_.open(envelope_key_, scope_, id, sealed, now_));
    ASSERT_LE(cache_.size(), SharedKeyCache::kSizeMax);
  }
}

}  // namespace
}  // namespace warifu::provisioning

#include "sim/software_tpm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "sim/deterministic.h"
#include "tpm_types/authentication_key.h"

namespace warifu::sim {
namespace {

constexpr const char* kVectors = WARIFU_SOURCE_DIR "/tests/vectors/tpm";

class SoftwareTpmTest : public testing::Test {
 protected:
  Bytes blob_for(const tpm::EkPublic& ek, const tpm::SrkPublic& srk) {
    return *tpm::make_authentication_key(ek, srk, key_, entropy_);
  }

  SeededEntropy entropy_{7};
  SecretBytes key_ = SecretBytes::random(entropy_, 32);
  SoftwareTpm a_ = *SoftwareTpm::from_vectors(kVectors, "a");
  SoftwareTpm b_ = *SoftwareTpm::from_vectors(kVectors, "b");
};

TEST_F(SoftwareTpmTest, OpensWhatWasMadeForIt) {
  const auto key = a_.open_authentication_key(blob_for(a_.ek(), a_.srk()));
  ASSERT_TRUE(key) << to_string(key.error());
  EXPECT_TRUE(equal_constant_time(key->reveal(), key_.reveal()));
  EXPECT_EQ(SoftwareTpm::hmac(*key, as_bytes("data")),
            crypto::hmac(crypto::HashAlgorithm::kSha256, key_.reveal(), {as_bytes("data")}));
}

TEST_F(SoftwareTpmTest, RefusesWhatWasMadeForAnother) {
  EXPECT_EQ(a_.open_authentication_key(blob_for(b_.ek(), b_.srk())).error().code, "crypto.rsa.decrypt");
  EXPECT_EQ(a_.open_authentication_key(blob_for(b_.ek(), a_.srk())).error().code, "crypto.rsa.decrypt");
  EXPECT_EQ(a_.open_authentication_key(blob_for(a_.ek(), b_.srk())).error().code, "sim.tpm.integrity");
}

TEST_F(SoftwareTpmTest, RefusesOneFlippedBitAnywhere) {
  const Bytes good = blob_for(a_.ek(), a_.srk());
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(a_.open_authentication_key(bad)) << "byte " << i;
  }
  for (std::size_t size = 0; size < good.size(); size += 7)
    EXPECT_FALSE(a_.open_authentication_key(ByteView(good).first(size))) << size;
}

// The names of the vectors, and which algorithms they are of.
constexpr std::array kKinds = {"a", "rsa3072", "p256", "p384"};

TEST_F(SoftwareTpmTest, OpensWhatWasMadeForEachKindOfEkAndSrk) {
  for (const char* ek : kKinds)
    for (const char* srk : kKinds) {
      const auto tpm = SoftwareTpm::from_vectors(kVectors, ek, srk);
      ASSERT_TRUE(tpm) << ek << srk;
      const auto key = tpm->open_authentication_key(blob_for(tpm->ek(), tpm->srk()));
      ASSERT_TRUE(key) << ek << srk << to_string(key.error());
      EXPECT_TRUE(equal_constant_time(key->reveal(), key_.reveal())) << ek << srk;
      // The credential is bound to the SRK's Name: one for another SRK does not open here.
      for (const char* other : kKinds) {
        if (std::string_view(other) == srk) continue;
        const auto foreign = SoftwareTpm::from_vectors(kVectors, ek, other);
        const auto refused = tpm->open_authentication_key(blob_for(foreign->ek(), foreign->srk()));
        EXPECT_EQ(refused.error().code, "sim.tpm.integrity") << ek << srk << other;
      }
    }
}

TEST_F(SoftwareTpmTest, RefusesOneFlippedBitAnywhereWithEachKindOfSrk) {
  for (const char* kind : kKinds) {
    const auto tpm = SoftwareTpm::from_vectors(kVectors, "p256", kind);
    ASSERT_TRUE(tpm);
    const Bytes good = blob_for(tpm->ek(), tpm->srk());
    for (std::size_t i = 0; i < good.size(); ++i) {
      Bytes bad = good;
      bad[i] ^= 1;
      EXPECT_FALSE(tpm->open_authentication_key(bad)) << kind << " byte " << i;
    }
  }
}

TEST_F(SoftwareTpmTest, ShowsTheKeysOfTheAzureSdks) {
  EXPECT_EQ(a_.ek().tpm2b().size(), 316u);
  EXPECT_EQ(a_.srk().tpm2b().size(), 284u);
  EXPECT_EQ(a_.ek().area().attributes().bits(), 0x000300B2u);
  EXPECT_EQ(a_.srk().area().attributes().bits(), 0x00030472u);
  EXPECT_NE(a_.ek(), b_.ek());
}

TEST(SoftwareTpmKeys, NeedTheirFiles) {
  const auto none = SoftwareTpm::from_vectors(kVectors, "nobody");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "sim.tpm.key");
}

TEST(SeededEntropy, RepeatsItselfForOneSeedOnly) {
  const auto bytes = [](std::uint64_t seed, std::initializer_list<std::size_t> sizes) {
    SeededEntropy entropy(seed);
    Bytes all;
    for (const std::size_t size : sizes) {
      Bytes part(size);
      entropy.fill(part);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  EXPECT_EQ(bytes(1, {100}), bytes(1, {1, 31, 0, 33, 35}));
  EXPECT_NE(bytes(1, {32}), bytes(2, {32}));
}

TEST(SeededEntropy, GivesNoByteToTwoThreads) {
  SeededEntropy entropy(3);
  std::array<Bytes, 2> drawn = {Bytes(32 * 100), Bytes(32 * 100)};
  {
    std::vector<std::jthread> threads;
    for (Bytes& bytes : drawn) {
      threads.emplace_back([&entropy, &bytes] {
        for (std::size_t i = 0; i < 100; ++i)
          entropy.fill(std::span(bytes).subspan(i * 32, 32));
      });
    }
  }
  std::set<Bytes> blocks;
  for (const Bytes& bytes : drawn) {
    for (std::size_t i = 0; i < 100; ++i)
      blocks.insert(to_bytes(ByteView(bytes).subspan(i * 32, 32)));
  }
  EXPECT_EQ(blocks.size(), 200u);
}

TEST(SteppingClock, MovesOnlyWhenToldTo) {
  SteppingClock clock(from_micros(1'000'000));
  EXPECT_EQ(clock.now(), from_micros(1'000'000));
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(clock.now(), from_micros(3'000'000));
  clock.advance(-std::chrono::seconds(1));
  EXPECT_EQ(clock.now(), from_micros(2'000'000));
  clock.set(from_micros(5));
  EXPECT_EQ(clock.now(), from_micros(5));
}

}  // namespace
}  // namespace warifu::sim

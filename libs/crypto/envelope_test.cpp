#include "crypto/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/kdf.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

SecretBytes secret(ByteView bytes) {
  return SecretBytes::copy_of(bytes);
}

// RFC 5869, appendix A.1 to A.3.
TEST(Hkdf, FollowsRfc5869) {
  struct Row {
    std::string_view key, salt, info;
    std::string_view okm;
  };
  const Row rows[] = {
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
       "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
       "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
       "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
       "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
       "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
       "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  };
  for (const Row& row : rows) {
    const auto out =
        hkdf_sha256(secret(*from_hex(row.key)), *from_hex(row.salt), *from_hex(row.info), row.okm.size() / 2);
    EXPECT_EQ(to_hex(out.reveal()), row.okm);
  }
}

// RFC 7914 §12.
TEST(Scrypt, FollowsRfc7914) {
  const auto first = scrypt(secret(as_bytes("password")), as_bytes("NaCl"), {.n = 1024, .r = 8, .p = 16}, 64);
  ASSERT_TRUE(first);
  EXPECT_EQ(to_hex(first->reveal()),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(Scrypt, RefusesCostsThatWouldTakeTheMachine) {
  for (const ScryptCost& cost : {ScryptCost{.n = 3}, ScryptCost{.n = std::uint64_t{1} << 40}, ScryptCost{.r = 0}}) {
    const auto key = scrypt(secret(as_bytes("p")), as_bytes("s"), cost, 32);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, "crypto.scrypt");
  }
}

TEST(Envelope, GivesBackWhatWasSealed) {
  SystemEntropy entropy;
  const SecretBytes key = SecretBytes::random(entropy, kEnvelopeKeySize);
  for (const std::size_t size : {0u, 1u, 32u, 1000u}) {
    const Bytes plain(size, 0x5a);
    for (const std::string_view place : {"", "devices/17/hmac"}) {
      const Bytes envelope = seal_envelope(key, as_bytes(place), plain, entropy);
      EXPECT_EQ(envelope.size(), size + kEnvelopeOverhead);
      const auto opened = open_envelope(key, as_bytes(place), envelope);
      ASSERT_TRUE(opened);
      EXPECT_EQ(to_bytes(opened->reveal()), plain);
    }
  }
  EXPECT_NE(seal_envelope(key, {}, {}, entropy), seal_envelope(key, {}, {}, entropy));
}

TEST(Envelope, RefusesAnyChangeAnotherKeyAndAnotherPlace) {
  SystemEntropy entropy;
  const SecretBytes key = SecretBytes::random(entropy, kEnvelopeKeySize);
  const Bytes good = seal_envelope(key, as_bytes("a"), as_bytes("secret"), entropy);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(open_envelope(key, as_bytes("a"), bad)) << i;
    EXPECT_FALSE(open_envelope(key, as_bytes("a"), ByteView(good).first(i))) << i;
  }
  EXPECT_EQ(open_envelope(key, as_bytes("b"), good).error().code, "crypto.envelope.refused");
  EXPECT_EQ(open_envelope(key, {}, good).error().code, "crypto.envelope.refused");
  EXPECT_FALSE(open_envelope(SecretBytes::random(entropy, kEnvelopeKeySize), as_bytes("a"), good));
  Bytes other_version = good;
  other_version[0] = 2;
  EXPECT_EQ(open_envelope(key, as_bytes("a"), other_version).error().code, "crypto.envelope.form");
}

}  // namespace
}  // namespace warifu::crypto

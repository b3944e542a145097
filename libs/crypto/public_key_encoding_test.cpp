#include "crypto/public_key_encoding.h"

#include <gtest/gtest.h>

#include "crypto/der_value.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"
#include "crypto/signer.h"

namespace warifu::crypto {
namespace {

class KeyEncodings : public testing::TestWithParam<KeyKind> {};

TEST_P(KeyEncodings, AreThoseOfOpenssl) {
  const PrivateKey key = PrivateKey::generate(GetParam());
  const Bytes expected = to_der_bytes<i2d_PUBKEY>(key.native());
  EXPECT_EQ(to_spki(encoding_of(key.native())), expected);
  EXPECT_EQ(key.public_key().spki(), expected);
  const Handle<X509_PUBKEY, X509_PUBKEY_free> spki(X509_PUBKEY_new());
  set_public_key(spki.get(), encoding_of(key.native()));
  EXPECT_EQ(to_der_bytes<i2d_X509_PUBKEY>(spki.get()), expected);
}

TEST_P(KeyEncodings, DifferWhereKeysDo) {
  const PrivateKey key = PrivateKey::generate(GetParam());
  const PrivateKey other = PrivateKey::generate(GetParam());
  EXPECT_TRUE(key.public_key() == PublicKey::from_spki(key.public_key().spki()).value());
  EXPECT_FALSE(key.public_key() == other.public_key());
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeyEncodings,
                         testing::Values(KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048, KeyKind::kRsa3072));

TEST(KeyEncoding, IsTheSameForAKeyElsewhere) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const Signer outside = Signer::outside(ec_public_key(key.public_key()).value(),
                                           [](const Digest&) -> Result<Bytes> { return Bytes(); });
    EXPECT_EQ(to_spki(encoding_of(outside.native())), key.public_key().spki());
  }
}

TEST(KeyEncoding, IsTheSameOfAKeysNumbers) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const auto made = PublicKey::of(ec_public_key(key.public_key()).value());
    ASSERT_TRUE(made) << to_string(made.error());
    EXPECT_EQ(made->spki(), key.public_key().spki());
  }
  const PrivateKey key = PrivateKey::generate(KeyKind::kRsa2048);
  const auto made = PublicKey::of(rsa_public_key(key).value());
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->spki(), key.public_key().spki());
  const auto weak = PublicKey::of(RsaPublicKey::from_modulus(Bytes(128, 0xff), 65537).value());
  ASSERT_FALSE(weak);
  EXPECT_EQ(weak.error().code, "crypto.key.kind");
}

// Whoever makes a key chooses what its verifications cost: at most so much.
TEST(KeyEncoding, HasAnRsaExponentOfAtMost32Bits) {
  const auto read = [](const Bytes& exponent) {
    Bytes modulus(257, 0xff);
    modulus.front() = 0;
    const Bytes numbers =
        der_value(V_ASN1_SEQUENCE, {der_value(V_ASN1_INTEGER, {modulus}), der_value(V_ASN1_INTEGER, {exponent})});
    return PublicKey::from_spki(to_spki({NID_rsaEncryption, NID_undef, numbers}));
  };
  const auto largest = read({0x00, 0xff, 0xff, 0xff, 0xff});
  ASSERT_TRUE(largest) << to_string(largest.error());
  EXPECT_EQ(rsa_public_key(*largest)->exponent(), 0xffffffffU);
  const auto larger = read({0x01, 0x00, 0x00, 0x00, 0x01});
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().code, "crypto.key.kind");
}

TEST(KeyEncoding, HasBothCoordinatesHoweverTheKeyWasRead) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const Bytes expected = key.public_key().spki();
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.native(), "point-format", "compressed"), 1);
  const Bytes compressed = to_der_bytes<i2d_PUBKEY>(key.native());
  ASSERT_LT(compressed.size(), expected.size());
  const auto read = PublicKey::from_spki(compressed);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->spki(), expected);
}

}  // namespace
}  // namespace warifu::crypto

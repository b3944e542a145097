#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/ec.h"
#include "crypto/private_key.h"
#include "crypto/rsa.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

class Keys : public testing::Test {
 protected:
  static SecretBytes text(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

  SystemEntropy entropy_;
};

TEST_F(Keys, RsaOaepOpensWithOpensslAndOnlyWithTheSameLabel) {
  for (const KeyKind kind : {KeyKind::kRsa2048, KeyKind::kRsa3072}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const auto public_key = rsa_public_key(key);
    ASSERT_TRUE(public_key);
    for (const HashAlgorithm hash : {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384}) {
      const ByteView label = as_bytes({"IDENTITY\0", 9});
      const auto sent = public_key->encrypt_oaep(hash, label, as_bytes("seed"), entropy_);
      ASSERT_TRUE(sent);
      EXPECT_EQ(sent->size(), public_key->modulus().size());
      const auto opened = rsa_decrypt_oaep(key, hash, label, *sent);
      ASSERT_TRUE(opened);
      EXPECT_EQ(as_text(opened->reveal()), "seed");
      EXPECT_EQ(rsa_decrypt_oaep(key, hash, label.first(8), *sent).error().code, "crypto.rsa.decrypt");
    }
  }
}

TEST_F(Keys, RsaEncryptsOnlyWhatFits) {
  const auto key = RsaPublicKey::from_modulus(Bytes(256, 0xff), 65537);
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->encrypt_oaep(HashAlgorithm::kSha256, {}, Bytes(190), entropy_));
  EXPECT_EQ(key->encrypt_oaep(HashAlgorithm::kSha256, {}, Bytes(191), entropy_).error().code, "crypto.rsa.message");
  const auto small = RsaPublicKey::from_modulus(Bytes(128, 0xff), 3);
  ASSERT_TRUE(small);
  EXPECT_FALSE(small->encrypt_oaep(HashAlgorithm::kSha512, {}, {}, entropy_));
}

TEST_F(Keys, RsaRefusesNumbersThatAreNoKey) {
  Bytes even(256, 0xff);
  even.back() = 0xfe;
  Bytes short_of_a_bit(256, 0xff);
  short_of_a_bit.front() = 0x7f;
  for (const Bytes& modulus : {even, short_of_a_bit, Bytes(), Bytes(127, 0xff), Bytes(513, 0xff)})
    EXPECT_EQ(RsaPublicKey::from_modulus(modulus, 65537).error().code, "crypto.rsa.modulus");
  for (const std::uint32_t exponent : {0u, 1u, 2u, 65536u})
    EXPECT_EQ(RsaPublicKey::from_modulus(Bytes(256, 0xff), exponent).error().code, "crypto.rsa.exponent");
}

TEST_F(Keys, EcBothSidesAgree) {
  for (const EcCurve curve : {EcCurve::kP256, EcCurve::kP384}) {
    const EcKeyPair a = EcKeyPair::generate(curve, entropy_);
    const EcKeyPair b = EcKeyPair::generate(curve, entropy_);
    const auto ab = a.agree(b.public_key());
    const auto ba = b.agree(a.public_key());
    ASSERT_TRUE(ab && ba);
    EXPECT_EQ(ab->size(), coordinate_size(curve));
    EXPECT_EQ(to_bytes(ab->reveal()), to_bytes(ba->reveal()));
    EXPECT_NE(a.public_key(), b.public_key());
  }
  const auto p256 = EcKeyPair::generate(EcCurve::kP256, entropy_);
  const auto p384 = EcKeyPair::generate(EcCurve::kP384, entropy_);
  EXPECT_EQ(p256.agree(p384.public_key()).error().code, "crypto.ec.curve");
}

TEST_F(Keys, EcAgreesAsTheOwnerOfAPrivateKey) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const auto own = EcKeyPair::from_private_key(PrivateKey::generate(kind));
    ASSERT_TRUE(own);
    const EcKeyPair other = EcKeyPair::generate(own->public_key().curve(), entropy_);
    EXPECT_EQ(to_bytes(own->agree(other.public_key())->reveal()), to_bytes(other.agree(own->public_key())->reveal()));
  }
  EXPECT_EQ(EcKeyPair::from_private_key(PrivateKey::generate(KeyKind::kRsa2048)).error().code, "crypto.ec.type");
}

// NIST CAVP, ECC CDH primitive (SP 800-56A), P-256, COUNT = 0: only its public point is used.
TEST_F(Keys, EcRefusesWhatIsNotOnTheCurve) {
  const Bytes x = *from_hex("700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287");
  const Bytes y = *from_hex("db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac");
  EXPECT_TRUE(EcPublicKey::from_affine(EcCurve::kP256, x, y));
  Bytes bad_y = y;
  bad_y.back() ^= 1;
  EXPECT_EQ(EcPublicKey::from_affine(EcCurve::kP256, x, bad_y).error().code, "crypto.ec.point");
  EXPECT_FALSE(EcPublicKey::from_affine(EcCurve::kP256, {}, {}));
  EXPECT_FALSE(EcPublicKey::from_affine(EcCurve::kP256, Bytes(32), Bytes(32)));
  EXPECT_FALSE(EcPublicKey::from_affine(EcCurve::kP256, Bytes(33), y));
  EXPECT_FALSE(EcPublicKey::from_affine(EcCurve::kP384, x, y));
}

// A point whose x is 5 would have a second form with x = p + 5, if coordinates were reduced.
TEST_F(Keys, EcRefusesACoordinateThatIsNotReduced) {
  const Bytes prime_and_5 = *from_hex("ffffffff00000001000000000000000000000001000000000000000000000004");
  const Bytes five = {5};
  const Bytes y = *from_hex("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
  EXPECT_TRUE(EcPublicKey::from_affine(EcCurve::kP256, five, y));
  EXPECT_FALSE(EcPublicKey::from_affine(EcCurve::kP256, prime_and_5, y));
}

TEST_F(Keys, PrivateKeysSurvivePem) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const auto plain = PrivateKey::from_pem(key.to_pem());
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->public_key(), key.public_key());
    const std::string encrypted = key.to_encrypted_pem(text("correct horse"), entropy_);
    EXPECT_THAT(encrypted, testing::StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    const auto opened = PrivateKey::from_encrypted_pem(encrypted, text("correct horse"));
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->public_key(), key.public_key());
  }
}

TEST_F(Keys, PrivateKeysRefuseAWrongPassphraseAndAnythingElse) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const std::string encrypted = key.to_encrypted_pem(text("right"), entropy_);
  EXPECT_EQ(PrivateKey::from_encrypted_pem(encrypted, text("wrong")).error().code, "crypto.key.passphrase");
  EXPECT_EQ(PrivateKey::from_encrypted_pem(encrypted, text("")).error().code, "crypto.key.passphrase");
  EXPECT_EQ(PrivateKey::from_pem(text(encrypted)).error().code, "crypto.key.pem");
  EXPECT_EQ(PrivateKey::from_pem(text("")).error().code, "crypto.key.pem");
  EXPECT_EQ(PrivateKey::from_encrypted_pem(as_text(key.to_pem().reveal()), text("x")).error().code, "crypto.key.pem");
}

TEST_F(Keys, SignaturesHoldForOneKeyAndOneMessage) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const Bytes signature = key.sign(as_bytes("message"));
    EXPECT_TRUE(key.public_key().verify(as_bytes("message"), signature));
    EXPECT_EQ(key.public_key().verify(as_bytes("massage"), signature).error().code, "crypto.signature");
    EXPECT_FALSE(PrivateKey::generate(kind).public_key().verify(as_bytes("message"), signature));
    EXPECT_FALSE(key.public_key().verify(as_bytes("message"), {}));
  }
}

TEST_F(Keys, PublicKeysSurviveSpkiAndRefuseTheRest) {
  const PublicKey key = PrivateKey::generate(KeyKind::kEcP256).public_key();
  const Bytes der = key.spki();
  EXPECT_EQ(*PublicKey::from_spki(der), key);
  EXPECT_EQ(*PublicKey::from_pem(key.to_pem()), key);
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_EQ(PublicKey::from_spki(ByteView(der).first(size)).error().code, "crypto.key.spki");
  Bytes trailing = der;
  trailing.push_back(0);
  EXPECT_EQ(PublicKey::from_spki(trailing).error().code, "crypto.key.spki");
  // Ed25519 (RFC 8410 §10.1).
  const Bytes ed25519 =
      *from_hex("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
  EXPECT_EQ(PublicKey::from_spki(ed25519).error().code, "crypto.key.kind");
}

}  // namespace
}  // namespace warifu::crypto

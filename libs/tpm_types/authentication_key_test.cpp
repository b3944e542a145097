#include "tpm_types/authentication_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/system_entropy.h"
#include "tpm_types/duplicate.h"
#include "tpm_types/kdf.h"
#include "tpm_types/make_credential.h"
#include "tpm_types/protection.h"
#include "tpm_types/test_keys.h"
#include "wire/reader.h"

// That a TPM opens what is made here is the matter of tests/system/tpm_judge_test.cpp and
// libs/sim/software_tpm_test.cpp.
namespace warifu::tpm {
namespace {

class AuthenticationKey : public testing::Test {
 protected:
  crypto::SystemEntropy entropy_;
  const EkPublic ek_ = *EkPublic::from_tpm2b(tpm2b_of(ek_fields()));
  const SrkPublic srk_ = *SrkPublic::from_tpm2b(tpm2b_of(srk_fields()));
};

TEST_F(AuthenticationKey, HasTheSixPartsThatClientsRead) {
  const auto blob = make_authentication_key(ek_, srk_, SecretBytes(32), entropy_);
  ASSERT_TRUE(blob);
  EXPECT_EQ(blob->size(), 766u);
  wire::Reader reader(*blob);
  for (const std::size_t size : {52u, 256u, 142u, 256u, 48u, 0u})
    EXPECT_EQ(reader.sized16("part")->size(), size);
  EXPECT_TRUE(reader.expect_done("blob"));
}

// An ECC key gets a point in the place of a ciphertext, and nameAlg sets the length of each HMAC.
TEST_F(AuthenticationKey, IsAsLongAsItsKeysDemand) {
  const auto p256 = crypto::EcKeyPair::generate(crypto::EcCurve::kP256, entropy_).public_key();
  EccFields p384 = ecc_srk_fields(crypto::EcKeyPair::generate(crypto::EcCurve::kP384, entropy_).public_key());
  p384.name_algorithm = 0x000C;
  const auto ek = EkPublic::from_tpm2b(tpm2b_of(ecc_ek_fields(p256)));
  const auto srk = SrkPublic::from_tpm2b(tpm2b_of(ecc_srk_fields(p256)));
  const auto strong_srk = SrkPublic::from_tpm2b(tpm2b_of(p384));
  ASSERT_TRUE(ek && srk && strong_srk);
  EXPECT_EQ(make_authentication_key(*ek, *srk, SecretBytes(32), entropy_)->size(), 390u);
  EXPECT_EQ(make_authentication_key(ek_, *srk, SecretBytes(32), entropy_)->size(), 578u);
  const auto blob = make_authentication_key(*ek, *strong_srk, SecretBytes(32), entropy_);
  ASSERT_TRUE(blob);
  wire::Reader reader(*blob);
  for (const std::size_t size : {52u, 68u, 158u, 100u, 48u, 0u})
    EXPECT_EQ(reader.sized16("part")->size(), size);
  EXPECT_TRUE(reader.expect_done("blob"));
}

TEST_F(AuthenticationKey, IsNeverTheSameTwice) {
  const SecretBytes key(32);
  EXPECT_NE(*make_authentication_key(ek_, srk_, key, entropy_), *make_authentication_key(ek_, srk_, key, entropy_));
}

TEST_F(AuthenticationKey, RefusesAnHmacKeyOfAnImpossibleSize) {
  for (const std::size_t size : {0u, 65u}) {
    const auto blob = make_authentication_key(ek_, srk_, SecretBytes(size), entropy_);
    ASSERT_FALSE(blob);
    EXPECT_EQ(blob.error().code, "tpm.hmac-key.size");
  }
  EXPECT_TRUE(make_authentication_key(ek_, srk_, SecretBytes(64), entropy_));
}

TEST_F(AuthenticationKey, MakesAnImportableHmacObject) {
  const auto object = make_hmac_object(SecretBytes(32), entropy_);
  ASSERT_TRUE(object);
  const auto area = PublicArea::from_tpmt(object->tpmt_public);
  ASSERT_TRUE(area);
  EXPECT_EQ(area->attributes(), ObjectAttributes(0x00040440));
  EXPECT_EQ(std::get<KeyedHashParameters>(area->parameters()).scheme,
            (Scheme{AlgorithmId::kHmac, crypto::HashAlgorithm::kSha256}));
  EXPECT_EQ(area->name(), object->name());
}

TEST(MakeCredential, RefusesASecretOfAnImpossibleSize) {
  crypto::SystemEntropy entropy;
  const EkPublic ek = *EkPublic::from_tpm2b(tpm2b_of(ek_fields()));
  for (const std::size_t size : {0u, 33u}) {
    const auto credential = make_credential(ek, ek.name(), SecretBytes(size), entropy);
    ASSERT_FALSE(credential);
    EXPECT_EQ(credential.error().code, "tpm.credential.size");
  }
  EXPECT_TRUE(make_credential(ek, ek.name(), SecretBytes(32), entropy));
}

TEST(Protection, GivesTheHolderOfAnEccKeyTheSameSeed) {
  crypto::SystemEntropy entropy;
  for (const auto curve : {crypto::EcCurve::kP256, crypto::EcCurve::kP384}) {
    for (const std::string_view label : {kIdentityLabel, kDuplicateLabel}) {
      const auto pair = crypto::EcKeyPair::generate(curve, entropy);
      const auto hash = crypto::HashAlgorithm::kSha256;
      const auto made = protect_seed({pair.public_key(), hash, 128}, label, entropy);
      ASSERT_TRUE(made);
      wire::Reader reader(made->encrypted_secret);
      const Bytes x = to_bytes(*reader.sized16("x"));
      const Bytes y = to_bytes(*reader.sized16("y"));
      ASSERT_TRUE(reader.expect_done("TPMS_ECC_POINT"));
      const auto z = pair.agree(*crypto::EcPublicKey::from_affine(curve, x, y));
      ASSERT_TRUE(z);
      const auto seed = kdfe(hash, *z, label, x, pair.public_key().x(), 256);
      EXPECT_EQ(to_hex(seed.reveal()), to_hex(made->seed.reveal()));
    }
  }
}

}  // namespace
}  // namespace warifu::tpm

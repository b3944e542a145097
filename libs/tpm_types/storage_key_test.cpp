#include "tpm_types/storage_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "crypto/system_entropy.h"
#include "tpm_types/test_keys.h"

namespace warifu::tpm {
namespace {

template <class Key>
std::string_view code_of(const Result<Key>& key) {
  return key ? "accepted" : key.error().code;
}

struct KeyRow {
  std::function<void(RsaFields&)> change;
  std::string_view code;
};

TEST(EkPublic, TakesTheProfilesThatExist) {
  RsaFields rsa3072 = ek_fields();
  rsa3072.name_algorithm = 0x000C;
  rsa3072.policy = Bytes(48);
  rsa3072.symmetric = {0x00, 0x06, 0x01, 0x00, 0x00, 0x43};
  rsa3072.key_bits = 3072;
  rsa3072.modulus = Bytes(384, 0xC5);
  const auto large = EkPublic::from_tpm2b(tpm2b_of(rsa3072));
  ASSERT_TRUE(large);
  EXPECT_EQ(large->protector().hash, crypto::HashAlgorithm::kSha384);
  EXPECT_EQ(large->protector().aes_bits, 256);

  const KeyRow rows[] = {
      {[](auto&) {}, "accepted"},
      {[](auto& f) { f.exponent = 65537; }, "accepted"},
      {[](auto& f) { f.attributes |= kUserWithAuth; }, "accepted"},
      {[](auto& f) { f.attributes |= kNoDa; }, "accepted"},
      {[](auto& f) { f.policy = {}; }, "accepted"},
      {[](auto& f) { f.symmetric[2] = 0x01, f.symmetric[3] = 0x00; }, "accepted"},
  };
  for (const KeyRow& row : rows) {
    RsaFields fields = ek_fields();
    row.change(fields);
    EXPECT_EQ(code_of(EkPublic::from_tpm2b(tpm2b_of(fields))), row.code);
  }
}

// What RSA and ECC have in common.
template <class Fields>
void expect_refusals_of_any_type(const Fields& good, const std::string& prefix,
                                 const std::function<std::string_view(const Bytes&)>& code) {
  ASSERT_EQ(code(tpm2b_of(good)), "accepted");
  for (const std::uint32_t needed : {kFixedTpm, kFixedParent, kSensitiveDataOrigin, kRestricted, kDecrypt}) {
    Fields fields = good;
    fields.attributes &= ~needed;
    EXPECT_EQ(code(tpm2b_of(fields)), prefix + "attributes") << needed;
  }
  for (const std::uint32_t unwanted : {kSign, kX509Sign, kEncryptedDuplication}) {
    Fields fields = good;
    fields.attributes |= unwanted;
    EXPECT_EQ(code(tpm2b_of(fields)), prefix + "attributes") << unwanted;
  }
  Fields without_aes = good;
  without_aes.symmetric = {0x00, 0x10};
  EXPECT_EQ(code(tpm2b_of(without_aes)), prefix + "symmetric");
}

// What EK and SRK have in common, with the prefix of each.
void expect_common_refusals(const RsaFields& good, const std::string& prefix,
                            const std::function<std::string_view(const Bytes&)>& code) {
  expect_refusals_of_any_type(good, prefix, code);
  const KeyRow rows[] = {
      {[](auto& f) {
         f.scheme = {0x00, 0x17, 0x00, 0x0b};
       },
       "scheme"},
      {[](auto& f) { f.key_bits = 1024, f.modulus = Bytes(128, 0xC5); }, "key-bits"},
      {[](auto& f) { f.key_bits = 4096, f.modulus = Bytes(512, 0xC5); }, "key-bits"},
      {[](auto& f) { f.exponent = 1; }, "exponent"},
      {[](auto& f) { f.exponent = 3; }, "exponent"},
      {[](auto& f) { f.exponent = 65536; }, "exponent"},
      {[](auto& f) { f.exponent = 65539; }, "exponent"},
      {[](auto& f) { f.modulus.back() = 0xC4; }, "unique"},
      {[](auto& f) { f.modulus.front() = 0x45; }, "unique"},
      {[](auto& f) { f.modulus.resize(255); }, "unique"},
      {[](auto& f) { f.modulus.clear(); }, "unique"},
  };
  for (const KeyRow& row : rows) {
    RsaFields fields = good;
    row.change(fields);
    EXPECT_EQ(code(tpm2b_of(fields)), prefix + std::string(row.code));
  }
}

TEST(EkPublic, RefusesWhatIsNoEndorsementKey) {
  const auto code = [](const Bytes& bytes) { return code_of(EkPublic::from_tpm2b(bytes)); };
  expect_common_refusals(ek_fields(), "tpm.ek.", code);
  RsaFields nobody_may = ek_fields();
  nobody_may.attributes &= ~kAdminWithPolicy;
  EXPECT_EQ(code(tpm2b_of(nobody_may)), "tpm.ek.attributes");
  nobody_may.attributes |= kUserWithAuth | kNoDa;
  EXPECT_EQ(code(tpm2b_of(nobody_may)), "tpm.ek.attributes") << "a storage root key";
  const Bytes hmac_key = wire::Writer().u16(8).u16(0x000B).u32(0x000300B2).sized16({}).u16(0x0010).sized16({}).take();
  EXPECT_EQ(code(sized(hmac_key)), "tpm.ek.type");
  EXPECT_EQ(code_of(EkPublic::from_any(hmac_key)), "tpm.ek.type");
}

struct EccRow {
  std::function<void(EccFields&)> change;
  std::string_view code;
};

// The same for ECC; `good` is on P-256.
void expect_common_ecc_refusals(const EccFields& good, const std::string& prefix,
                                const std::function<std::string_view(const Bytes&)>& code) {
  expect_refusals_of_any_type(good, prefix, code);
  const EccRow rows[] = {
      {[](auto& f) {
         f.scheme = {0x00, 0x19, 0x00, 0x0b};
       },
       "scheme"},
      {[](auto& f) {
         f.kdf = {0x00, 0x20, 0x00, 0x0b};
       },
       "scheme"},
      {[](auto& f) { f.x.back() ^= 1; }, "unique"},
      {[](auto& f) { f.y.back() ^= 1; }, "unique"},
      {[](auto& f) { std::swap(f.x, f.y); }, "unique"},
      {[](auto& f) { f.x.clear(), f.y.clear(); }, "unique"},
      {[](auto& f) { f.x = f.y = Bytes(32); }, "unique"},
      {[](auto& f) { f.y.resize(31); }, "unique"},
      // The other curve, with the coordinates of this one.
      {[](auto& f) { f.curve = 4; }, "unique"},
  };
  for (const EccRow& row : rows) {
    EccFields fields = good;
    row.change(fields);
    EXPECT_EQ(code(tpm2b_of(fields)), prefix + std::string(row.code));
  }
}

TEST(EkPublic, TakesEccPointsOfTheCurveOnly) {
  crypto::SystemEntropy entropy;
  const auto code = [](const Bytes& bytes) { return code_of(EkPublic::from_tpm2b(bytes)); };
  for (const crypto::EcCurve curve : {crypto::EcCurve::kP256, crypto::EcCurve::kP384}) {
    const EccFields good = ecc_ek_fields(crypto::EcKeyPair::generate(curve, entropy).public_key());
    EXPECT_EQ(code(tpm2b_of(good)), "accepted");
    EccFields off_the_curve = good;
    off_the_curve.y.back() ^= 1;
    EXPECT_EQ(code(tpm2b_of(off_the_curve)), "tpm.ek.unique");
    EccFields srk = good;
    srk.attributes &= ~kAdminWithPolicy;
    EXPECT_EQ(code(tpm2b_of(srk)), "tpm.ek.attributes");
  }
  const auto key = crypto::EcKeyPair::generate(crypto::EcCurve::kP256, entropy).public_key();
  expect_common_ecc_refusals(ecc_ek_fields(key), "tpm.ek.", code);
}

TEST(EkPublic, IsEqualWhenItsPublicAreaIs) {
  RsaFields other = ek_fields();
  other.exponent = 65537;  // the same key, another public area: another Name, so another EK
  EXPECT_EQ(*EkPublic::from_any(tpmt_of(ek_fields())), *EkPublic::from_tpm2b(tpm2b_of(ek_fields())));
  EXPECT_NE(*EkPublic::from_tpm2b(tpm2b_of(other)), *EkPublic::from_tpm2b(tpm2b_of(ek_fields())));
}

TEST(SrkPublic, RefusesWhatIsNoStorageRootKey) {
  const auto code = [](const Bytes& bytes) { return code_of(SrkPublic::from_tpm2b(bytes)); };
  expect_common_refusals(srk_fields(), "tpm.srk.", code);
  RsaFields with_policy = srk_fields();
  with_policy.policy = Bytes(32);
  EXPECT_EQ(code(tpm2b_of(with_policy)), "tpm.srk.auth-policy");
  const Bytes hmac_key = wire::Writer().u16(8).u16(0x000B).u32(0x00030072).sized16({}).u16(0x0010).sized16({}).take();
  EXPECT_EQ(code(sized(hmac_key)), "tpm.srk.type");
  EXPECT_EQ(code({}), "wire.truncated");
}

TEST(SrkPublic, RefusesWhatIsNoEccStorageRootKey) {
  crypto::SystemEntropy entropy;
  const auto code = [](const Bytes& bytes) { return code_of(SrkPublic::from_tpm2b(bytes)); };
  const auto key = crypto::EcKeyPair::generate(crypto::EcCurve::kP256, entropy).public_key();
  expect_common_ecc_refusals(ecc_srk_fields(key), "tpm.srk.", code);
  EccFields with_policy = ecc_srk_fields(key);
  with_policy.policy = Bytes(32);
  EXPECT_EQ(code(tpm2b_of(with_policy)), "tpm.srk.auth-policy");
  EccFields p521 = ecc_srk_fields(key);
  p521.curve = 5;
  EXPECT_EQ(code(tpm2b_of(p521)), "tpm.algorithm.curve");
}

// Of each kind, with the hash and the AES key that it says.
std::vector<Bytes> srks_of_all_kinds() {
  crypto::SystemEntropy entropy;
  RsaFields rsa3072 = srk_fields();
  rsa3072.name_algorithm = 0x000C;
  rsa3072.symmetric = {0x00, 0x06, 0x01, 0x00, 0x00, 0x43};
  rsa3072.key_bits = 3072;
  rsa3072.modulus = Bytes(384, 0xC5);
  EccFields p384 = ecc_srk_fields(crypto::EcKeyPair::generate(crypto::EcCurve::kP384, entropy).public_key());
  p384.name_algorithm = 0x000C;
  p384.symmetric = {0x00, 0x06, 0x01, 0x00, 0x00, 0x43};
  const auto p256 = ecc_srk_fields(crypto::EcKeyPair::generate(crypto::EcCurve::kP256, entropy).public_key());
  return {tpm2b_of(srk_fields()), tpm2b_of(rsa3072), tpm2b_of(p256), tpm2b_of(p384)};
}

TEST(SrkPublic, TakesRsaAndEccWithTheirOwnHashAndAesKey) {
  const std::vector<Bytes> srks = srks_of_all_kinds();
  for (std::size_t i = 0; i < srks.size(); ++i) {
    const auto srk = SrkPublic::from_tpm2b(srks[i]);
    ASSERT_TRUE(srk) << i << ": " << to_string(srk.error());
    const bool strong = i % 2 == 1;
    EXPECT_EQ(srk->protector().hash, strong ? crypto::HashAlgorithm::kSha384 : crypto::HashAlgorithm::kSha256);
    EXPECT_EQ(srk->protector().aes_bits, strong ? 256 : 128);
    EXPECT_EQ(std::holds_alternative<crypto::EcPublicKey>(srk->protector().key), i >= 2);
    EXPECT_EQ(srk->name().algorithm(), srk->protector().hash);
  }
}

TEST(SrkPublic, RefusesWhatIsCutOffTooLongOrLiesAboutItsSize) {
  for (const Bytes& good : srks_of_all_kinds()) {
    for (std::size_t size = 0; size < good.size(); ++size) {
      EXPECT_FALSE(SrkPublic::from_tpm2b(ByteView(good).first(size))) << size;
      // The same with an outer size that agrees: what lies is inside.
      if (size < 2) continue;
      EXPECT_FALSE(SrkPublic::from_tpm2b(sized(ByteView(good).subspan(2, size - 2)))) << size;
    }
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_EQ(code_of(SrkPublic::from_tpm2b(longer)), "wire.trailing");
    EXPECT_EQ(code_of(SrkPublic::from_tpm2b(sized(ByteView(longer).subspan(2)))), "wire.trailing");
  }
}

TEST(RegistrationId, IsBase32OfTheHashOfThePublicArea) {
  const auto ek = EkPublic::from_tpm2b(tpm2b_of(ek_fields()));
  ASSERT_TRUE(ek);
  const std::string id = default_registration_id(*ek);
  EXPECT_EQ(id.size(), 52u);
  EXPECT_EQ(id, to_base32_lower(crypto::digest(crypto::HashAlgorithm::kSha256, {ek->tpm2b()}).bytes()));
  EXPECT_THAT(id, testing::MatchesRegex("[a-z2-7]+"));
}

}  // namespace
}  // namespace warifu::tpm

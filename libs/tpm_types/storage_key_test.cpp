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

struct Row {
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

  const Row rows[] = {
      {[](auto&) {}, "accepted"},
      {[](auto& f) { f.exponent = 65537; }, "accepted"},
      {[](auto& f) { f.attributes |= kUserWithAuth; }, "accepted"},
      {[](auto& f) { f.attributes |= kNoDa; }, "accepted"},
      {[](auto& f) { f.policy = {}; }, "accepted"},
      {[](auto& f) { f.symmetric[2] = 0x01, f.symmetric[3] = 0x00; }, "accepted"},
  };
  for (const Row& row : rows) {
    RsaFields fields = ek_fields();
    row.change(fields);
    EXPECT_EQ(code_of(EkPublic::from_tpm2b(tpm2b_of(fields))), row.code);
  }
}

// What EK and SRK have in common, with the prefix of each.
void expect_common_refusals(const RsaFields& good, const std::string& prefix,
                            const std::function<std::string_view(const Bytes&)>& code) {
  ASSERT_EQ(code(tpm2b_of(good)), "accepted");
  const Row rows[] = {
      {[](auto& f) { f.attributes &= ~kFixedTpm; }, "attributes"},
      {[](auto& f) { f.attributes &= ~kFixedParent; }, "attributes"},
      {[](auto& f) { f.attributes &= ~kSensitiveDataOrigin; }, "attributes"},
      {[](auto& f) { f.attributes &= ~kRestricted; }, "attributes"},
      {[](auto& f) { f.attributes &= ~kDecrypt; }, "attributes"},
      {[](auto& f) { f.attributes |= kSign; }, "attributes"},
      {[](auto& f) { f.attributes |= kEncryptedDuplication; }, "attributes"},
      {[](auto& f) {
         f.symmetric = {0x00, 0x10};
       },
       "symmetric"},
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
  for (const Row& row : rows) {
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

TEST(EkPublic, TakesEccPointsOfTheCurveOnly) {
  crypto::SystemEntropy entropy;
  struct Curve {
    crypto::EcCurve curve;
    std::uint16_t id;
  };
  for (const Curve& row : {Curve{crypto::EcCurve::kP256, 3}, Curve{crypto::EcCurve::kP384, 4}}) {
    const auto key = crypto::EcKeyPair::generate(row.curve, entropy).public_key();
    EXPECT_EQ(code_of(EkPublic::from_tpm2b(ecc_tpm2b(row.id, key.x(), key.y()))), "accepted");
    Bytes y = to_bytes(key.y());
    y.back() ^= 1;
    EXPECT_EQ(code_of(EkPublic::from_tpm2b(ecc_tpm2b(row.id, key.x(), y))), "tpm.ek.unique");
    EXPECT_EQ(code_of(EkPublic::from_tpm2b(ecc_tpm2b(row.id, {}, {}))), "tpm.ek.unique");
    EXPECT_EQ(code_of(EkPublic::from_tpm2b(ecc_tpm2b(row.id, key.x(), key.y(), 0x000B, 0x000300B0))),
              "tpm.ek.attributes");
  }
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
  RsaFields rsa3072 = srk_fields();
  rsa3072.key_bits = 3072;
  rsa3072.modulus = Bytes(384, 0xC5);
  EXPECT_EQ(code(tpm2b_of(rsa3072)), "tpm.srk.key-bits");
  const Bytes ecc = sized(wire::Writer()
                              .u16(0x0023)
                              .u16(0x000B)
                              .u32(0x00030472)
                              .sized16({})
                              .bytes(Bytes{0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10})
                              .sized16(Bytes(32))
                              .sized16(Bytes(32))
                              .take());
  EXPECT_EQ(code(ecc), "tpm.srk.type");
  EXPECT_EQ(code_of(SrkPublic::from_tpm2b({})), "wire.truncated");
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

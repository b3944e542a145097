#include "attestation/quote/key_proof.h"

#include <gtest/gtest.h>

#include "attestation/quote/test_key_proof.h"
#include "tpm_types/templates.h"

namespace warifu::attestation {
namespace {

const Bytes kNonce(32, 0xA5);

class KeyProofTest : public testing::Test {
 protected:
  std::string code_of(const KeyProof& proof, ByteView nonce = kNonce) const {
    const auto proven = check_key_proof(proof, ak_.ak(), nonce);
    return proven ? "" : std::string(proven.error().code);
  }

  const SoftwareAk ak_ = SoftwareAk::of(crypto::KeyKind::kEcP256);
  const SoftwareAk key_ = SoftwareAk::of(crypto::KeyKind::kEcP256);
};

TEST_F(KeyProofTest, TakesAKeyThatTheAkAttests) {
  for (const auto kind : {crypto::KeyKind::kEcP256, crypto::KeyKind::kEcP384, crypto::KeyKind::kRsa2048}) {
    const SoftwareAk key = SoftwareAk::of(kind);
    for (const auto type : {std::uint16_t{0x8017}, std::uint16_t{0x801a}}) {
      const auto proven = check_key_proof(prove(ak_, device_key_public(key), {.type = type}), ak_.ak(), kNonce);
      ASSERT_TRUE(proven) << to_string(proven.error());
      EXPECT_EQ(proven->public_key().spki(), key.key.public_key().spki());
    }
  }
}

TEST_F(KeyProofTest, RefusesAKeyThatCouldBeElsewhere) {
  // Each of fixedTPM, fixedParent, sensitiveDataOrigin and sign is missing once; then restricted, and decrypt.
  for (const std::uint32_t attributes :
       {kLdevidAttributes & ~0x2u, kLdevidAttributes & ~0x10u, kLdevidAttributes & ~0x20u,
        kLdevidAttributes & ~0x40000u, kLdevidAttributes | 0x10000u, kLdevidAttributes | 0x20000u})
    EXPECT_EQ(code_of(prove(ak_, device_key_public(key_, attributes))), "key-proof.attributes") << attributes;
}

TEST_F(KeyProofTest, RefusesAnotherNonceKeyAkAndType) {
  const Bytes area = device_key_public(key_);
  EXPECT_EQ(code_of(prove(ak_, area)), "");
  EXPECT_EQ(code_of(prove(ak_, area), Bytes(32, 0xA6)), "key-proof.nonce");
  EXPECT_EQ(code_of(prove(ak_, area), Bytes(31, 0xA5)), "key-proof.nonce");
  EXPECT_EQ(code_of(prove(ak_, area, {.name = Bytes(34, 0)})), "key-proof.key");
  EXPECT_EQ(code_of(prove(SoftwareAk::of(crypto::KeyKind::kEcP256), area)), "crypto.signature");
  auto swapped = prove(ak_, area);
  swapped.public_area = device_key_public(SoftwareAk::of(crypto::KeyKind::kEcP256));
  EXPECT_EQ(code_of(swapped), "key-proof.key");
  auto mislabelled = prove(ak_, area);
  mislabelled.kind = KeyEvidence::kCreation;
  EXPECT_EQ(code_of(mislabelled), "tpm.attest.type");
}

TEST_F(KeyProofTest, RefusesAQuoteAndWhatIsCutOff) {
  auto quote = prove(ak_, device_key_public(key_));
  quote.attest = attest_of({});
  quote.signature = ak_.sign(quote.attest);
  EXPECT_EQ(code_of(quote), "tpm.attest.type");
  const auto whole = prove(ak_, device_key_public(key_));
  for (std::size_t size = 0; size < whole.attest.size(); ++size) {
    auto cut = whole;
    cut.attest.resize(size);
    EXPECT_NE(code_of(cut), "") << size;
  }
  for (std::size_t size = 0; size < whole.public_area.size(); ++size) {
    auto cut = whole;
    cut.public_area.resize(size);
    EXPECT_NE(code_of(cut), "") << size;
  }
}

// The template with the key's own point in it, as TPM2_CreatePrimary answers.
Bytes made_from(Bytes tpm2b_template) {
  const auto area = tpm::PublicArea::from_tpm2b(tpm2b_template).value();
  Bytes tpmt = to_bytes(area.tpmt());
  tpmt.resize(tpmt.size() - area.unique().size() - area.unique_y().size() - 4);
  const auto point = crypto::ec_public_key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key()).value();
  return wire::Writer().sized16(wire::Writer().bytes(tpmt).sized16(point.x()).sized16(point.y()).take()).take();
}

TEST_F(KeyProofTest, KnowsAnIdevidByItsTemplate) {
  using tpm::IdentityAlgorithm;
  const auto idevid = tpm::PublicArea::from_tpm2b(made_from(tpm::idevid_template(IdentityAlgorithm::kEccP256))).value();
  EXPECT_TRUE(is_idevid(idevid));
  const auto iak = tpm::PublicArea::from_tpm2b(made_from(tpm::iak_template(IdentityAlgorithm::kEccP256))).value();
  EXPECT_FALSE(is_idevid(iak));
  const auto ldevid = tpm::PublicArea::from_tpm2b(made_from(tpm::ldevid_template())).value();
  EXPECT_FALSE(is_idevid(ldevid));
  EXPECT_FALSE(
      is_idevid(tpm::PublicArea::from_tpm2b(device_key_public(SoftwareAk::of(crypto::KeyKind::kRsa2048))).value()));
}

}  // namespace
}  // namespace warifu::attestation

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

TEST_F(KeyProofTest, RefusesCreationDataThatTheTpmDidNotAttest) {
  const Bytes area = device_key_public(key_);
  const auto whole = prove(ak_, area, {.type = 0x801a});
  EXPECT_EQ(code_of(whole), "");
  auto other = whole;
  other.creation_data = creation_data_under({0x40, 0, 0, 1});
  EXPECT_EQ(code_of(other), "key-proof.creation");
  for (std::size_t size = 0; size < whole.creation_data.size(); ++size) {
    auto cut = whole;
    cut.creation_data.resize(size);
    EXPECT_EQ(code_of(cut), "key-proof.creation") << size;
  }
  // A TPM attests none like this.
  EXPECT_EQ(code_of(prove(ak_, area, {.type = 0x801a, .creation_data = Bytes(3)})), "wire.truncated");
}

TEST_F(KeyProofTest, KnowsAnIdevidByItsTemplateAndItsHierarchy) {
  using tpm::IdentityAlgorithm;
  const Bytes idevid = made_from(tpm::idevid_template(IdentityAlgorithm::kEccP256));
  const auto is_one = [&](const Bytes& area, const ProofFields& fields) {
    const auto proven = check_key_proof(prove(ak_, area, fields), ak_.ak(), kNonce);
    EXPECT_TRUE(proven) << to_string(proven.error());
    return proven && is_idevid(*proven);
  };
  EXPECT_TRUE(is_one(idevid, {.type = 0x801a}));
  EXPECT_FALSE(is_one(idevid, {})) << "the TPM has it loaded, and says no more";
  EXPECT_FALSE(is_one(idevid, {.type = 0x801a, .creation_data = creation_data_under({0x40, 0, 0, 1})}))
      << "a primary of the owner";
  EXPECT_FALSE(is_one(idevid, {.type = 0x801a, .creation_data = creation_data_under({0x40, 0, 0, 7})}))
      << "one that ends with the next reset";
  EXPECT_FALSE(is_one(idevid, {.type = 0x801a, .creation_data = creation_data_under(Bytes(34, 0x0b))}))
      << "a key under the SRK";
  EXPECT_FALSE(is_one(made_from(tpm::ldevid_template()), {.type = 0x801a}));
  EXPECT_FALSE(is_one(device_key_public(SoftwareAk::of(crypto::KeyKind::kRsa2048)), {.type = 0x801a}));
  EXPECT_EQ(code_of(prove(ak_, made_from(tpm::iak_template(IdentityAlgorithm::kEccP256)), {.type = 0x801a})),
            "key-proof.attributes");
}

}  // namespace
}  // namespace warifu::attestation

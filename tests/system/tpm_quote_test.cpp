// Quotes that swtpm makes through tpm2-tss, verified by us: every scheme, several banks, and what looks like a quote.
#include <gtest/gtest.h>

#include <random>

#include "attestation/quote/progress.h"
#include "attestation/quote/quote.h"
#include "esys_tpm.h"
#include "sim/test_seed.h"
#include "swtpm.h"
#include "tpm_types/algorithm.h"
#include "wire/writer.h"

namespace warifu::test {
namespace {

using attestation::AkPublic;
using attestation::ExpectedNonce;
using attestation::Sha1Use;
using crypto::HashAlgorithm;
using tpm::AlgorithmId;

constexpr std::uint32_t kAttributes =
    tpm::kRestricted | tpm::kSign | tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin | tpm::kUserWithAuth;

struct Kind {
  AlgorithmId scheme;
  HashAlgorithm hash;
  std::uint16_t size;  // of an RSA modulus in bits, or the curve
};
const Kind kKinds[] = {
    {AlgorithmId::kRsaSsa, HashAlgorithm::kSha256, 2048},
    {AlgorithmId::kRsaSsa, HashAlgorithm::kSha384, 2048},
    {AlgorithmId::kRsaPss, HashAlgorithm::kSha256, 2048},
    {AlgorithmId::kRsaPss, HashAlgorithm::kSha512, 2048},
    {AlgorithmId::kRsaSsa, HashAlgorithm::kSha256, 3072},
    {AlgorithmId::kEcdsa, HashAlgorithm::kSha256, tpm::kEccNistP256},
    {AlgorithmId::kEcdsa, HashAlgorithm::kSha384, tpm::kEccNistP384},
    {AlgorithmId::kEcdsa, HashAlgorithm::kSha256, tpm::kEccNistP384},
};

std::uint16_t id(AlgorithmId algorithm) {
  return static_cast<std::uint16_t>(algorithm);
}

Bytes template_of(const Kind& kind, std::uint32_t attributes = kAttributes) {
  const bool is_ecc = kind.scheme == AlgorithmId::kEcdsa;
  wire::Writer out;
  out.u16(id(is_ecc ? AlgorithmId::kEcc : AlgorithmId::kRsa)).u16(id(AlgorithmId::kSha256)).u32(attributes).sized16({});
  out.u16(id(AlgorithmId::kNull)).u16(id(kind.scheme)).u16(id(tpm::algorithm_of(kind.hash))).u16(kind.size);
  if (is_ecc)
    out.u16(id(AlgorithmId::kNull)).sized16({}).sized16({});
  else
    out.u32(0).sized16({});
  return wire::Writer().sized16(out.take()).take();
}

TPML_PCR_SELECTION selection_of(std::initializer_list<std::pair<AlgorithmId, std::uint32_t>> banks) {
  TPML_PCR_SELECTION all{};
  for (const auto& [bank, indices] : banks) {
    auto& one = all.pcrSelections[all.count++];
    one.hash = id(bank);
    one.sizeofSelect = 3;
    for (std::size_t i = 0; i < 3; ++i)
      one.pcrSelect[i] = static_cast<BYTE>(indices >> (8 * i));
  }
  return all;
}

Bytes random_nonce() {
  std::random_device random;
  Bytes nonce(32);
  for (auto& byte : nonce)
    byte = static_cast<std::uint8_t>(random());
  return nonce;
}

class TpmQuote : public testing::Test {
 protected:
  TpmQuote() {
    for (const std::uint32_t index : {0u, 4u, 7u, 10u, 16u})
      EXPECT_TRUE(tpm_.measure(index, as_bytes("event of " + std::to_string(index))));
    for (const auto bank :
         {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384, HashAlgorithm::kSha512})
      for (std::uint32_t index = 0; index < 24; ++index)
        values_.bank(bank).set(index, tpm_.pcr(bank, index).value());
  }
  AkPublic ak_of(const Transient& key, Sha1Use sha1 = Sha1Use::kRefused) {
    return AkPublic::from_tpm_public(tpm_.read_public(key), sha1).value();
  }

  Swtpm swtpm_;
  EsysTpm tpm_{swtpm_.tcti()};
  measured_boot::RegisterValues values_;
};

const auto kAllBanks = selection_of({{AlgorithmId::kSha384, 0x00FFFFFF},
                                     {AlgorithmId::kSha1, 0x00010491},
                                     {AlgorithmId::kSha256, 0x00FFFFFF},
                                     {AlgorithmId::kSha512, 0x00000081}});

TEST_F(TpmQuote, EverySchemeWithEveryBankAndEachByteCounts) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(tpm::to_hex_id(id(kind.scheme)) + " " + std::string(to_string(kind.hash)));
    const Transient key = tpm_.create_primary(ESYS_TR_RH_ENDORSEMENT, template_of(kind)).value();
    const AkPublic ak = ak_of(key);
    const Bytes nonce = random_nonce();
    auto made = tpm_.quote(key, nonce, kAllBanks);
    ASSERT_TRUE(made) << to_string(made.error());
    const auto quote = attestation::verify({made->message, made->signature}, ak, ExpectedNonce{nonce});
    ASSERT_TRUE(quote) << to_string(quote.error());
    EXPECT_TRUE(quote->attest().clock.safe);
    EXPECT_TRUE(attestation::expect_parent(*quote, Bytes{0x40, 0x00, 0x00, 0x0b}));
    const auto proved = attestation::prove_registers(*quote, values_);
    ASSERT_TRUE(proved) << to_string(proved.error());
    EXPECT_NE(proved->find(HashAlgorithm::kSha384, 23), nullptr);
    EXPECT_EQ(proved->find(HashAlgorithm::kSha512, 1), nullptr);

    EXPECT_FALSE(attestation::verify({made->message, made->signature}, ak, ExpectedNonce{random_nonce()}));
    for (Bytes* part : {&made->message, &made->signature}) {
      for (std::uint8_t& byte : *part) {
        const auto bit = static_cast<std::uint8_t>(1u << random() % 8);
        byte ^= bit;
        EXPECT_FALSE(attestation::verify({made->message, made->signature}, ak, ExpectedNonce{nonce}));
        byte ^= bit;
      }
    }
  }
}

TEST_F(TpmQuote, Q1_ACertificationIsNoQuote) {
  const Transient key = tpm_.create_primary(ESYS_TR_RH_ENDORSEMENT, template_of(kKinds[5])).value();
  const Bytes nonce = random_nonce();
  const auto made = tpm_.certify(key, nonce);
  ASSERT_TRUE(made) << to_string(made.error());
  const auto quote = attestation::verify({made->message, made->signature}, ak_of(key), ExpectedNonce{nonce});
  ASSERT_FALSE(quote);
  EXPECT_EQ(quote.error().code, "tpm.attest.type");
}

TEST_F(TpmQuote, Q7_Sha1OnlyForThoseWhoAskForIt) {
  const Transient key =
      tpm_.create_primary(ESYS_TR_RH_ENDORSEMENT, template_of({AlgorithmId::kRsaSsa, HashAlgorithm::kSha1, 2048}))
          .value();
  EXPECT_EQ(AkPublic::from_tpm_public(tpm_.read_public(key)).error().code, "ak.sha1");
  const AkPublic ak = ak_of(key, Sha1Use::kAllowed);
  const Bytes nonce = random_nonce();
  const auto made = tpm_.quote(key, nonce, kAllBanks).value();
  const auto quote = attestation::verify({made.message, made.signature}, ak, ExpectedNonce{nonce}, Sha1Use::kAllowed);
  ASSERT_TRUE(quote) << to_string(quote.error());
  EXPECT_TRUE(attestation::prove_registers(*quote, values_));
  EXPECT_EQ(attestation::verify({made.message, made.signature}, ak, ExpectedNonce{nonce}).error().code, "quote.sha1");
}

TEST_F(TpmQuote, Q4_ARegisterThatChangedMeanwhileIsNotProved) {
  const Transient key = tpm_.create_primary(ESYS_TR_RH_ENDORSEMENT, template_of(kKinds[5])).value();
  ASSERT_TRUE(tpm_.measure(16, as_bytes("one more")));
  const Bytes nonce = random_nonce();
  const auto made = tpm_.quote(key, nonce, kAllBanks).value();
  const auto quote = attestation::verify({made.message, made.signature}, ak_of(key), ExpectedNonce{nonce}).value();
  EXPECT_EQ(attestation::prove_registers(quote, values_).error().code, "quote.pcr-digest");
}

TEST_F(TpmQuote, Q9_TwoQuotesOfOneBootAlsoWhereTheCountersAreHidden) {
  for (const ESYS_TR hierarchy : {ESYS_TR_RH_ENDORSEMENT, ESYS_TR_RH_OWNER}) {
    const Transient key = tpm_.create_primary(hierarchy, template_of(kKinds[5])).value();
    const auto state = [&] {
      const Bytes nonce = random_nonce();
      const auto made = tpm_.quote(key, nonce, kAllBanks).value();
      const auto quote = attestation::verify({made.message, made.signature}, ak_of(key), ExpectedNonce{nonce}).value();
      return attestation::QuoteState::of(quote);
    };
    const auto earlier = state();
    const auto progress = attestation::compare(earlier, state());
    EXPECT_EQ(progress.relation, attestation::BootRelation::kSameBoot);
    EXPECT_TRUE(progress.anomalies.empty());
  }
}

}  // namespace
}  // namespace warifu::test

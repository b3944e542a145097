#include "attestation/appraisal/quote_appraisal.h"

#include "attestation/appraisal/test_appraisal.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::RegisterValues;

TEST(QuoteAppraisal, SaysOfANonceWhatItIsWorth) {
  QuoteFields fields;
  const auto freshness = [&](const Nonce& nonce) {
    AttestationResult result;
    appraise_quote(quote_of(fields, nonce), result);
    return result.of(Layer::kFreshness);
  };
  EXPECT_EQ(freshness(ExpectedNonce{fields.nonce}), Tier::kAffirming);
  EXPECT_EQ(freshness(AnyNonce{}), Tier::kNone);
  fields.clock.safe = false;
  EXPECT_EQ(freshness(ExpectedNonce{fields.nonce}), Tier::kWarning);
  fields.clock.safe = true;
  for (fields.nonce = Bytes(kNonceSizeMin - 1); !fields.nonce.empty(); fields.nonce.pop_back())
    EXPECT_EQ(freshness(ExpectedNonce{fields.nonce}), Tier::kWarning);
  EXPECT_EQ(freshness(ExpectedNonce{{}}), Tier::kWarning);
}

TEST(QuoteAppraisal, Q2_ABareKeyIsNoProvedAk) {
  AttestationResult with_area;
  appraise_quote(quote_of({}, AnyNonce{}), with_area);
  EXPECT_EQ(with_area.of(Layer::kIdentity), Tier::kAffirming);
  for (const auto& [use, tier] :
       {std::pair(BareKeyUse::kRefused, Tier::kContraindicated), std::pair(BareKeyUse::kTold, Tier::kWarning)}) {
    AttestationResult bare;
    appraise_quote(quote_of({}, AnyNonce{}, true), bare, use);
    EXPECT_EQ(bare.of(Layer::kIdentity), tier);
    EXPECT_EQ(bare.of(Layer::kHardware), Tier::kNone);
    EXPECT_EQ(bare.overall(), tier);
  }
  // Where the public area is there, the option changes nothing.
  AttestationResult told;
  appraise_quote(quote_of({}, AnyNonce{}), told, BareKeyUse::kTold);
  EXPECT_EQ(told.of(Layer::kIdentity), Tier::kAffirming);
}

TEST(QuoteAppraisal, Q8_ARequiredRegisterThatIsNotQuotedContradicts) {
  const auto values = some_values({HashAlgorithm::kSha256});
  const auto quote =
      quote_of(fields_of(values, {selected(HashAlgorithm::kSha256, {0, 7})}, HashAlgorithm::kSha256), AnyNonce{});
  const auto registers = prove_registers(quote, values).value();
  AttestationResult there;
  appraise_required(
      registers, std::array{RegisterPlace{HashAlgorithm::kSha256, 0}, RegisterPlace{HashAlgorithm::kSha256, 7}}, there);
  EXPECT_TRUE(there.findings().empty());
  // Its value came, and the quote does not prove it; and one of another bank.
  for (const RegisterPlace& missing :
       {RegisterPlace{HashAlgorithm::kSha256, 4}, RegisterPlace{HashAlgorithm::kSha384, 7}}) {
    AttestationResult result;
    appraise_required(registers, std::array{RegisterPlace{HashAlgorithm::kSha256, 0}, missing}, result);
    EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
    ASSERT_EQ(result.findings().size(), 1u);
    EXPECT_EQ(result.findings()[0].code, "quote.register-unquoted");
  }
}

TEST(QuoteAppraisal, Q4_TellsOfValuesThatNothingProves) {
  auto values = some_values({HashAlgorithm::kSha256});
  const auto quote =
      quote_of(fields_of(values, {selected(HashAlgorithm::kSha256, {0, 1, 2, 3, 4, 5, 6, 7})}, HashAlgorithm::kSha256),
               AnyNonce{});
  AttestationResult result;
  appraise_registers(prove_registers(quote, values).value(), result);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kWarning);
  EXPECT_EQ(find(result, "registers.unquoted")->where, "sha256:8");
}

TEST(QuoteAppraisal, Q8_AQuoteOfNothingOrOfAnUnusedBankWarns) {
  AttestationResult nothing;
  QuoteFields fields;
  fields.digest = to_bytes(crypto::digest(HashAlgorithm::kSha256, {}).bytes());
  appraise_registers(prove_registers(quote_of(fields, AnyNonce{}), {}).value(), nothing);
  EXPECT_EQ(nothing.of(Layer::kBoot), Tier::kWarning);

  RegisterValues values;
  for (std::uint32_t index = 0; index < 8; ++index)
    values.bank(HashAlgorithm::kSha256).set(index, crypto::Digest(HashAlgorithm::kSha256));
  AttestationResult unused;
  appraise_registers(proved(values), unused);
  EXPECT_EQ(unused.of(Layer::kBoot), Tier::kWarning);
  values.bank(HashAlgorithm::kSha256).set(7, crypto::digest(HashAlgorithm::kSha256, {Bytes{1}}));
  AttestationResult used;
  appraise_registers(proved(values), used);
  EXPECT_EQ(used.of(Layer::kBoot), Tier::kNone);
}

TEST(QuoteAppraisal, Q9_WhatFellContradictsAndNewFirmwareWarns) {
  AttestationResult fell;
  appraise_progress({.relation = BootRelation::kUnknown, .anomalies = {Anomaly::kResetCountFell}}, fell);
  EXPECT_EQ(fell.of(Layer::kFreshness), Tier::kContraindicated);
  AttestationResult firmware;
  appraise_progress({.relation = BootRelation::kNewBoot, .anomalies = {Anomaly::kFirmwareChanged}}, firmware);
  EXPECT_EQ(firmware.of(Layer::kHardware), Tier::kWarning);
  EXPECT_EQ(firmware.of(Layer::kFreshness), Tier::kNone);
}

TEST(QuoteAppraisal, ARefusalContradictsTheLayerThatItIsOf) {
  const std::pair<std::string_view, Layer> rows[] = {
      {"quote.nonce", Layer::kFreshness},       {"quote.pcr-digest", Layer::kBoot},
      {"quote.register-missing", Layer::kBoot}, {"eventlog.bank-missing", Layer::kBoot},
      {"ima.no-match", Layer::kRuntime},        {"crypto.signature", Layer::kIdentity},
      {"ak.attributes", Layer::kIdentity}};
  for (const auto& [code, layer] : rows) {
    AttestationResult result;
    add_refusal({ErrorKind::kRefused, code, "no"}, result);
    EXPECT_EQ(result.of(layer), Tier::kContraindicated) << code;
  }
}

}  // namespace
}  // namespace warifu::attestation

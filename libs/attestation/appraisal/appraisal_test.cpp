#include <gtest/gtest.h>

#include <algorithm>

#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "attestation/quote/test_quote.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/ima/replay.h"
#include "measured_boot/ima/test_lists.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::EventType;
using measured_boot::LogWriter;
using measured_boot::RegisterValues;
using measured_boot::ima::test::TestList;

const SoftwareAk& key() {
  static const SoftwareAk ak = SoftwareAk::of(crypto::KeyKind::kEcP256);
  return ak;
}

VerifiedQuote quote_of(QuoteFields fields, const Nonce& nonce, bool as_pem = false) {
  const Bytes message = attest_of(fields);
  const AkPublic ak = as_pem ? AkPublic::from_pem(key().key.public_key().to_pem()).value() : key().ak();
  return verify({message, key().sign(message)}, ak, nonce).value();
}

// Of all registers in these values.
ProvedRegisters proved(const RegisterValues& values) {
  tpm::PcrSelections selections;
  for (const auto& bank : values.banks()) {
    selections.push_back(selected(bank.algorithm(), {}));
    for (const auto& [index, value] : bank.registers())
      selections.back().indices |= 1u << index;
  }
  const auto quote = quote_of(fields_of(values, selections, HashAlgorithm::kSha256), AnyNonce{});
  return prove_registers(quote, values).value();
}

const Finding* find(const AttestationResult& result, std::string_view code) {
  const auto found = std::ranges::find(result.findings(), code, &Finding::code);
  return found == result.findings().end() ? nullptr : &*found;
}

TEST(AttestationResult, NoneIsNeverGreen) {
  AttestationResult result;
  EXPECT_EQ(result.overall(), Tier::kNone);
  for (const Layer layer : kLayers) {
    EXPECT_NE(result.overall(), Tier::kAffirming);
    result.add({layer, Tier::kAffirming, "test.good", ""});
  }
  EXPECT_EQ(result.overall(), Tier::kAffirming);
}

TEST(AttestationResult, ALayerHasTheWorstOfItsFindings) {
  AttestationResult result;
  result.add({Layer::kBoot, Tier::kContraindicated, "test.bad", ""});
  result.add({Layer::kBoot, Tier::kAffirming, "test.good", ""});
  result.add({Layer::kRuntime, Tier::kWarning, "test.odd", ""});
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kWarning);
  EXPECT_EQ(result.of(Layer::kHardware), Tier::kNone);
  EXPECT_EQ(result.overall(), Tier::kContraindicated);
}

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
  AttestationResult bare;
  appraise_quote(quote_of({}, AnyNonce{}, true), bare);
  EXPECT_EQ(bare.of(Layer::kIdentity), Tier::kWarning);
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

// A boot of which firmware tells in two banks.
Bytes boot_log() {
  return LogWriter({HashAlgorithm::kSha1, HashAlgorithm::kSha256})
      .event(0, EventType::kSCrtmVersion, "1.0")
      .event(4, EventType::kIpl, "loader")
      .separators()
      .event(8, EventType::kIpl, "kernel")
      .bytes();
}

// The log's layer, when these registers are quoted.
AttestationResult boot(ByteView bytes, const RegisterValues& values) {
  AttestationResult result;
  const auto log = measured_boot::parse_event_log(bytes).value();
  const Status status = appraise_event_log(log, proved(values), result);
  if (!status) add_refusal(status.error(), result);
  return result;
}

crypto::Digest other(HashAlgorithm bank) {
  return crypto::digest(bank, {as_bytes("something else")});
}

TEST(LogAppraisal, ALogThatReplaysToTheQuoteIsNoGoodBootYet) {
  const Bytes bytes = boot_log();
  const auto result = boot(bytes, measured_boot::replay(measured_boot::parse_event_log(bytes).value()));
  EXPECT_NE(find(result, "eventlog.agrees"), nullptr);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kNone);
}

TEST(LogAppraisal, L7_EachBankIsJudgedAloneAndTheStrongerCounts) {
  const Bytes bytes = boot_log();
  const RegisterValues right = measured_boot::replay(measured_boot::parse_event_log(bytes).value());
  auto weak = right;
  weak.bank(HashAlgorithm::kSha1).set(4, other(HashAlgorithm::kSha1));
  EXPECT_EQ(boot(bytes, weak).of(Layer::kBoot), Tier::kWarning);
  auto strong = right;
  strong.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  const auto result = boot(bytes, strong);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_EQ(find(result, "eventlog.replay")->where, "sha256:4");
  EXPECT_EQ(find(result, "eventlog.replay")->expected, to_hex(other(HashAlgorithm::kSha256).bytes()));
  // SHA-1 is all there is.
  RegisterValues only;
  only.bank(HashAlgorithm::kSha1) = *weak.find(HashAlgorithm::kSha1);
  EXPECT_EQ(boot(bytes, only).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(LogAppraisal, L7_Sha1AloneCarriesALogOnlyForThoseWhoAskForIt) {
  const Bytes bytes = boot_log();
  const auto log = measured_boot::parse_event_log(bytes).value();
  const RegisterValues right = measured_boot::replay(log);
  // The sender leaves SHA-256 out, or all of it that tells of firmware, or one register.
  RegisterValues without;
  without.bank(HashAlgorithm::kSha1) = *right.find(HashAlgorithm::kSha1);
  RegisterValues debug = without;
  debug.bank(HashAlgorithm::kSha256).set(16, crypto::Digest(HashAlgorithm::kSha256));
  RegisterValues hole = without;
  for (const auto& [index, value] : right.find(HashAlgorithm::kSha256)->registers())
    if (index != 4) hole.bank(HashAlgorithm::kSha256).set(index, value);
  for (const auto& values : {without, debug, hole}) {
    AttestationResult refused;
    ASSERT_TRUE(appraise_event_log(log, proved(values), refused));
    EXPECT_EQ(refused.of(Layer::kBoot), Tier::kContraindicated);
    EXPECT_NE(find(refused, "eventlog.sha1-alone"), nullptr);
    AttestationResult taken;
    ASSERT_TRUE(appraise_event_log(log, proved(values), taken, Sha1Use::kAllowed));
    EXPECT_EQ(taken.of(Layer::kBoot), Tier::kWarning);
  }
  EXPECT_EQ(find(boot(bytes, right), "eventlog.sha1-alone"), nullptr);
  // Nor does a stronger bank that leaves a register out make its SHA-1 less.
  hole.bank(HashAlgorithm::kSha1).set(4, other(HashAlgorithm::kSha1));
  AttestationResult different;
  ASSERT_TRUE(appraise_event_log(log, proved(hole), different, Sha1Use::kAllowed));
  EXPECT_EQ(different.of(Layer::kBoot), Tier::kContraindicated);
}

TEST(LogAppraisal, Q8_ALogAgreesOnlyWithAQuoteOfAllOfFirmware) {
  const Bytes bytes = boot_log();
  RegisterValues debug;
  debug.bank(HashAlgorithm::kSha256).set(16, crypto::Digest(HashAlgorithm::kSha256));
  const auto nothing = boot(bytes, debug);
  EXPECT_EQ(find(nothing, "eventlog.agrees"), nullptr);
  ASSERT_NE(find(nothing, "eventlog.registers-unquoted"), nullptr);
  EXPECT_NE(find(nothing, "eventlog.registers-unquoted")->what.find("PCR 0, 1, 2, 3, 4, 5, 6, 7"), std::string::npos);
  EXPECT_EQ(nothing.of(Layer::kBoot), Tier::kWarning);
}

TEST(LogAppraisal, L9_ALogCutAtAnEventContradictsTheQuote) {
  const Bytes whole = boot_log();
  const Bytes cut = LogWriter({HashAlgorithm::kSha1, HashAlgorithm::kSha256})
                        .event(0, EventType::kSCrtmVersion, "1.0")
                        .separators()
                        .bytes();
  const auto values = measured_boot::replay(measured_boot::parse_event_log(whole).value());
  EXPECT_EQ(boot(cut, values).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(LogAppraisal, L15_WhatNoLogTellsWeighsByItsRegister) {
  const Bytes bytes = boot_log();
  const auto log = measured_boot::parse_event_log(bytes).value();
  const std::pair<std::uint32_t, Tier> rows[] = {{9, Tier::kWarning}, {10, Tier::kNone}, {16, Tier::kNone}};
  for (const auto& [index, tier] : rows) {
    auto values = measured_boot::replay(log);
    values.bank(HashAlgorithm::kSha256).set(index, other(HashAlgorithm::kSha256));
    EXPECT_EQ(boot(bytes, values).of(Layer::kBoot), tier) << index;
  }
}

TEST(LogAppraisal, L8_ALogOfOtherBanksIsRefused) {
  auto values = some_values({HashAlgorithm::kSha384});
  const auto result = boot(boot_log(), values);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_NE(find(result, "eventlog.bank-missing"), nullptr);
}

// An IMA list of this boot, and the registers after it.
struct Runtime {
  std::uint32_t pcr;
  TestList list;
  RegisterValues values = some_values({HashAlgorithm::kSha256});

  explicit Runtime(std::uint32_t register_of_ima = 10) : pcr(register_of_ima) {
    Bytes hashed;
    for (std::uint32_t index = 0; index < 10; ++index) {
      const ByteView value = values.find(HashAlgorithm::kSha256, index)->bytes();
      hashed.insert(hashed.end(), value.begin(), value.end());
    }
    namespace ima = measured_boot::ima::test;
    list.add("ima-ng", {ima::digest_field(as_text(hashed)), ima::name_field("boot_aggregate")}, pcr);
    list.add_file("/usr/bin/true", "true", pcr);
    quote();
  }
  // The register as it is now.
  void quote() {
    constexpr std::array kBank = {HashAlgorithm::kSha256};
    const auto form = measured_boot::ima::list_form(list.bytes()).value();
    measured_boot::ima::ListReader reader(list.bytes(), form);
    measured_boot::ima::Replay replay(form, measured_boot::ima::BankRule::kNative, kBank);
    EXPECT_TRUE(replay.add_all(reader));
    values.bank(HashAlgorithm::kSha256).set(pcr, *replay.banks()[0].find(pcr));
  }
  AttestationResult appraise(Status& status) const {
    AttestationResult result;
    status = appraise_ima_list(list.bytes(), proved(values), result);
    return result;
  }
};

TEST(LogAppraisal, I8_AListIsProvedByTheQuotedRegisterAndNotJudgedYet) {
  Runtime runtime;
  Status status;
  AttestationResult result = runtime.appraise(status);
  EXPECT_TRUE(status) << to_string(status.error());
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kNone);
  EXPECT_NE(find(result, "runtime.no-policy"), nullptr);
  runtime.list.add_file("/tmp/later", "later");
  runtime.appraise(status);
  EXPECT_TRUE(status) << "what came after the quote waits for the next";
  runtime.values.bank(HashAlgorithm::kSha256).set(10, other(HashAlgorithm::kSha256));
  runtime.appraise(status);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.no-match");
}

TEST(LogAppraisal, I7_AListInAnotherRegisterSaysNothingOfPcr10) {
  const Runtime forged(11);  // in PCR 10 stands something else
  Status status;
  const AttestationResult result = forged.appraise(status);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.register");
  EXPECT_EQ(find(result, "runtime.no-policy"), nullptr);
}

TEST(LogAppraisal, I2_Sha1AloneCarriesAListOnlyForThoseWhoAskForIt) {
  const TestList list = TestList().add_file("boot_aggregate", "x");
  const auto form = measured_boot::ima::list_form(list.bytes()).value();
  measured_boot::ima::ListReader reader(list.bytes(), form);
  measured_boot::ima::Replay replay(form, measured_boot::ima::BankRule::kNative, std::array{HashAlgorithm::kSha1});
  ASSERT_TRUE(replay.add_all(reader));
  RegisterValues values;
  values.bank(HashAlgorithm::kSha1) = replay.banks()[0];
  for (const Sha1Use sha1 : {Sha1Use::kRefused, Sha1Use::kAllowed}) {
    AttestationResult result;
    (void)appraise_ima_list(list.bytes(), proved(values), result, sha1);
    EXPECT_NE(find(result, "runtime.no-policy"), nullptr);
    EXPECT_EQ(find(result, "ima.sha1-alone") == nullptr, sha1 == Sha1Use::kAllowed);
  }
}

TEST(LogAppraisal, I1_AViolationWarns) {
  Runtime runtime;
  namespace ima = measured_boot::ima::test;
  runtime.list.add_violation("ima-ng", {ima::digest_field(""), ima::name_field("/var/log/x")});
  runtime.quote();
  Status status;
  const AttestationResult result = runtime.appraise(status);
  EXPECT_TRUE(status);
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kWarning);
}

TEST(LogAppraisal, I9_AListOfAnotherBootIsRefused) {
  Runtime runtime;
  runtime.values.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  Status status;
  runtime.appraise(status);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.boot-aggregate");
}

TEST(LogAppraisal, APcr10ThatIsNotQuotedProvesNoList) {
  const Runtime runtime;
  RegisterValues values;
  values.bank(HashAlgorithm::kSha256).set(0, other(HashAlgorithm::kSha256));
  AttestationResult result;
  const Status status = appraise_ima_list(runtime.list.bytes(), proved(values), result);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.pcr-not-quoted");
}

}  // namespace
}  // namespace warifu::attestation

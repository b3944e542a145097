#include "attestation/appraisal/log_appraisal.h"

#include "attestation/appraisal/test_appraisal.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::EventType;
using measured_boot::LogWriter;
using measured_boot::RegisterValues;

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
    ASSERT_TRUE(appraise_event_log(log, proved(values), taken, {.sha1 = Sha1Use::kAllowed}));
    EXPECT_EQ(taken.of(Layer::kBoot), Tier::kWarning);
  }
  EXPECT_EQ(find(boot(bytes, right), "eventlog.sha1-alone"), nullptr);
  // Nor does a stronger bank that leaves a register out make its SHA-1 less.
  hole.bank(HashAlgorithm::kSha1).set(4, other(HashAlgorithm::kSha1));
  AttestationResult different;
  ASSERT_TRUE(appraise_event_log(log, proved(hole), different, {.sha1 = Sha1Use::kAllowed}));
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
  ASSERT_NE(find(nothing, "eventlog.unproved"), nullptr);
  EXPECT_EQ(nothing.of(Layer::kBoot), Tier::kContraindicated);
  // One of them is something, and said to be no more.
  RegisterValues one;
  one.bank(HashAlgorithm::kSha256)
      .set(0,
           *measured_boot::replay(measured_boot::parse_event_log(bytes).value()).find(HashAlgorithm::kSha256)->find(0));
  const auto part = boot(bytes, one);
  EXPECT_EQ(find(part, "eventlog.unproved"), nullptr);
  EXPECT_NE(find(part, "eventlog.registers-unquoted"), nullptr);
  EXPECT_EQ(part.of(Layer::kBoot), Tier::kWarning);
}

TEST(LogAppraisal, L7_ClaimsAreOfTheBankThatCarriesFirmware) {
  const Bytes bytes = LogWriter({HashAlgorithm::kSha256, HashAlgorithm::kSha384})
                          .event(0, EventType::kSCrtmVersion, "1.0")
                          .separators()
                          .bytes();
  const auto log = measured_boot::parse_event_log(bytes).value();
  const auto all = measured_boot::replay(log);
  RegisterValues quoted;
  quoted.bank(HashAlgorithm::kSha256) = *all.find(HashAlgorithm::kSha256);
  quoted.bank(HashAlgorithm::kSha384).set(7, *all.find(HashAlgorithm::kSha384, 7));
  AttestationResult result;
  const auto of = [&](const RegisterValues& values) {
    return appraise_event_log(log, proved(values), result).value().registers.bank;
  };
  EXPECT_EQ(of(quoted), HashAlgorithm::kSha256);
  EXPECT_EQ(of(all), HashAlgorithm::kSha384) << "of two that carry all of it, the stronger";
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

}  // namespace
}  // namespace warifu::attestation

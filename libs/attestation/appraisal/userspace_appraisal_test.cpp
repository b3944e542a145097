#include "attestation/appraisal/test_appraisal.h"
#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/replay.h"
#include "measured_boot/userspace_log/test_log.h"

// Firmware's log and systemd's, over the same registers (L15).
namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::EventType;
using measured_boot::LogWriter;
using measured_boot::RegisterIndex;
using measured_boot::RegisterValues;
using measured_boot::UserspaceLog;
using measured_boot::test::Measurement;

// A unified kernel image: its stub measures into PCR 11 before systemd does.
Bytes uki_log() {
  return LogWriter({HashAlgorithm::kSha1, HashAlgorithm::kSha256})
      .event(0, EventType::kSCrtmVersion, "1.0")
      .event(4, EventType::kIpl, "the image")
      .separators()
      .event(11, EventType::kIpl, ".linux")
      .bytes();
}

UserspaceLog later(const std::vector<Measurement>& measurements = measured_boot::test::kBoot) {
  return measured_boot::parse_userspace_log(as_bytes(measured_boot::test::log_of(measurements))).value();
}

RegisterValues after(const Bytes& log, const UserspaceLog& userspace) {
  return measured_boot::replay(userspace, measured_boot::replay(measured_boot::parse_event_log(log).value()));
}

AttestationResult boot_of_both(const RegisterValues& values, const UserspaceLog& userspace) {
  return boot(uki_log(), values, {.userspace = &userspace});
}

TEST(UserspaceAppraisal, L15_BothLogsTogetherReplayToTheQuote) {
  const UserspaceLog userspace = later();
  const auto result = boot_of_both(after(uki_log(), userspace), userspace);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kNone);
  EXPECT_NE(find(result, "eventlog.agrees"), nullptr);
  AttestationResult again;
  const auto explained = appraise_event_log(measured_boot::parse_event_log(uki_log()).value(),
                                            proved(after(uki_log(), userspace)), again, {.userspace = &userspace});
  EXPECT_TRUE(explained->registers.confirmed.test(11) && explained->registers.confirmed.test(15));
}

TEST(UserspaceAppraisal, L15_AnyOtherUserspaceLogContradicts) {
  const auto values = after(uki_log(), later());
  auto shorter = measured_boot::test::kBoot;
  shorter.pop_back();
  auto longer = measured_boot::test::kBoot;
  longer.push_back({11, "phase", "final"});
  auto swapped = measured_boot::test::kBoot;
  std::swap(swapped[0], swapped[2]);
  auto changed = measured_boot::test::kBoot;
  changed[4].measured = changed[4].text = "machine-id:ffffffffffffffffffffffffffffffff";
  for (const auto& wrong : {shorter, longer, swapped, changed}) {
    const auto result = boot_of_both(values, later(wrong));
    EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
    EXPECT_NE(find(result, "eventlog.replay"), nullptr);
  }
  // Nor does it hide a firmware's log that is another.
  auto other_kernel = values;
  other_kernel.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  EXPECT_EQ(boot_of_both(other_kernel, later()).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(UserspaceAppraisal, L15_WithoutItsLogSystemdsRegistersAreUnlogged) {
  const auto values = after(uki_log(), later());
  const auto result = boot(uki_log(), values);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kWarning);
  std::vector<std::string> unlogged;
  for (const Finding& finding : result.findings())
    if (finding.code == "eventlog.unlogged") unlogged.push_back(finding.where);
  EXPECT_EQ(unlogged, (std::vector<std::string>{"sha256:11", "sha256:15", "sha1:11", "sha1:15"}));
  EXPECT_EQ(find(result, "eventlog.agrees"), nullptr);
  AttestationResult again;
  const auto explained = appraise_event_log(measured_boot::parse_event_log(uki_log()).value(), proved(values), again);
  EXPECT_FALSE(explained->registers.confirmed.test(11)) << "nothing that the log tells of it is proved";
  // No other register is systemd's.
  auto changed = values;
  changed.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  EXPECT_EQ(boot(uki_log(), changed).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(UserspaceAppraisal, L15_WhatSystemdAddsToFirmwaresRegistersIsTakenOff) {
  auto measurements = measured_boot::test::kBoot;
  for (RegisterIndex index = 0; index < 8; ++index)
    measurements.push_back({index, "os-separator", "os-separator"});
  const UserspaceLog userspace = later(measurements);
  const auto values = after(uki_log(), userspace);
  const auto firmware = measured_boot::replay(measured_boot::parse_event_log(uki_log()).value());
  AttestationResult result;
  const auto explained = appraise_event_log(measured_boot::parse_event_log(uki_log()).value(), proved(values), result,
                                            {.userspace = &userspace});
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kNone);
  for (const auto bank : {HashAlgorithm::kSha256, HashAlgorithm::kSha1})  // whichever the boot_aggregate is of
    for (RegisterIndex index = 0; index < 8; ++index)
      EXPECT_EQ(*explained->before_userspace.find(bank, index), *firmware.find(bank, index)) << index;
  // Of a register that no log explains it is what is quoted.
  auto wrong = values;
  wrong.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  const auto doubtful = appraise_event_log(measured_boot::parse_event_log(uki_log()).value(), proved(wrong), result,
                                           {.userspace = &userspace});
  EXPECT_EQ(*doubtful->before_userspace.find(HashAlgorithm::kSha256, 4), other(HashAlgorithm::kSha256));
  // Firmware's log alone does not explain it.
  EXPECT_EQ(boot(uki_log(), values).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(UserspaceAppraisal, L7_ARecordWithoutTheBankLeavesItDifferent) {
  const auto weak = measured_boot::parse_userspace_log(
                        as_bytes(measured_boot::test::log_of(measured_boot::test::kBoot, {HashAlgorithm::kSha1})))
                        .value();
  EXPECT_EQ(boot_of_both(after(uki_log(), later()), weak).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(UserspaceAppraisal, L15_ARegisterInNeitherLogIsUnlogged) {
  const UserspaceLog userspace = later();
  auto values = after(uki_log(), userspace);
  values.bank(HashAlgorithm::kSha256).set(12, other(HashAlgorithm::kSha256));
  const auto result = boot_of_both(values, userspace);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kWarning);
  ASSERT_NE(find(result, "eventlog.unlogged"), nullptr);
  EXPECT_EQ(find(result, "eventlog.unlogged")->where, "sha256:12");
}

}  // namespace
}  // namespace warifu::attestation

#include "attestation/appraisal/boot_policy.h"

#include "attestation/appraisal/boot_requirements.h"
#include "attestation/appraisal/policy_file.h"
#include "attestation/appraisal/test_appraisal.h"
#include "attestation/appraisal/test_waivers.h"
#include "measured_boot/claims/windows/test_windows.h"
#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/replay.h"
#include "measured_boot/userspace_log/test_log.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::LogWriter;

BootPolicy policy_of(const std::string& boot) {
  const auto policy = parse_evidence_policy(R"({"format":"warifu.evidence-policy.v1","boot":)" + boot + "}");
  EXPECT_TRUE(policy) << to_string(policy.error());
  return policy->boot;
}

AttestationResult judged(const LogWriter& log, const BootPolicy& policy, const Allowances* allowances = nullptr) {
  const auto values = measured_boot::replay(measured_boot::parse_event_log(log.bytes()).value());
  return boot(log.bytes(), values, {.allowances = allowances, .policy = &policy});
}

bool meets(const LogWriter& log, const std::string& claim) {
  const auto result = judged(log, policy_of(R"({"claims":[")" + claim + R"("]})"));
  EXPECT_EQ(find(result, "boot.policy") != nullptr, find(result, "boot.required") == nullptr) << claim;
  EXPECT_EQ(result.of(Layer::kBoot),
            find(result, "boot.policy") != nullptr ? Tier::kAffirming : Tier::kContraindicated);
  return find(result, "boot.policy") != nullptr;
}

TEST(BootPolicy, EachClaimIsMetByABootThatHasItAndByNoOther) {
  const LogWriter linux_boot = measured_boot::grub_boot();
  const LogWriter windows = measured_boot::windows_boot();
  const LogWriter bare = LogWriter({HashAlgorithm::kSha256})
                             .event(0, measured_boot::EventType::kSCrtmVersion, "1.0")
                             .event(4, measured_boot::EventType::kIpl, "x");
  for (const std::string claim : {"boot-loader", "kernel", "kernel-command-line", "separators", "exit-boot-services",
                                  "no-firmware-debugging", "dma-protection", "authorities-in-db", "secure-boot"}) {
    EXPECT_TRUE(meets(linux_boot, claim)) << claim;
    EXPECT_FALSE(meets(bare, claim)) << claim;
  }
  for (const BootRequirement& one : boot_requirements()) {
    const std::string claim(one.name);
    if (!claim.starts_with("windows-")) continue;
    EXPECT_TRUE(meets(windows, claim)) << claim;
    EXPECT_FALSE(meets(linux_boot, claim)) << claim;
  }
}

TEST(BootPolicy, WhatWindowsSaysAgainstItIsHeard) {
  using measured_boot::boot_application;
  using measured_boot::little_endian;
  using measured_boot::sipa;
  using measured_boot::sipa_flag;
  using enum measured_boot::windows::SipaType;
  const std::pair<std::string, Bytes> rows[] = {
      {"windows-code-integrity", sipa_flag(kTestSigning, true)},
      {"windows-code-integrity", sipa_flag(kCodeIntegrity, false)},
      {"windows-no-debugging", sipa_flag(kBootDebugging, true)},
      {"windows-no-debugging", sipa_flag(kKernelDebugging, true)},
      {"windows-no-debugging", sipa_flag(kHypervisorDebugging, true)},
      {"windows-normal-mode", sipa_flag(kSafeMode, true)},
      {"windows-normal-mode", sipa_flag(kWinPe, true)},
      {"windows-dep", sipa(kNxPolicy, little_endian(2, 8))},
      {"windows-vbs", sipa(kVsmLaunchType, little_endian(0, 8))},
      {"windows-hvci", sipa(kHvciPolicy, little_endian(0, 4))},
      {"windows-bitlocker-tpm", sipa(kBitLockerUnlock, little_endian(0x40, 4))},
  };
  for (const auto& [claim, part] : rows) {
    const Bytes event = boot_application({part});
    EXPECT_FALSE(meets(measured_boot::windows_boot({{event, event}}), claim)) << claim << " " << to_hex(part);
    for (const auto& [other_claim, other_part] : rows)
      if (other_claim != claim && !(claim == "windows-vbs" && other_claim == "windows-hvci")) {
        EXPECT_TRUE(meets(measured_boot::windows_boot({{event, event}}), other_claim)) << claim << " " << other_claim;
      }
  }
}

// Not beside the good value, where the two contradict each other, but instead of it.
TEST(BootPolicy, WhatALoaderAloneSaysCounts) {
  using measured_boot::LoaderValues;
  const std::pair<std::string, LoaderValues> rows[] = {{"windows-dep", {.nx_policy = 0}},
                                                       {"windows-dep", {.nx_policy = 2}},
                                                       {"windows-vbs", {.vsm_launch_type = 0}},
                                                       {"windows-hvci", {.hvci_policy = 0}},
                                                       {"windows-elam", {.has_elam_driver = false}}};
  for (const auto& [claim, values] : rows) {
    const LogWriter log = measured_boot::windows_boot({}, measured_boot::loader_of(values));
    EXPECT_FALSE(meets(log, claim)) << claim;
    EXPECT_TRUE(meets(log, "windows-code-integrity")) << claim;
  }
}

TEST(BootPolicy, L13_AQuirkExcusesItsClaimAndNoOther) {
  LogWriter log = measured_boot::SecureBootEvents().log();
  log.separators();
  const BootPolicy policy = policy_of(R"({"claims":["exit-boot-services"]})");
  EXPECT_EQ(judged(log, policy).of(Layer::kBoot), Tier::kContraindicated);
  const Timestamp now = std::chrono::sys_days(std::chrono::year(2030) / 1 / 1);
  const auto with = [&](const std::string& one, const BootPolicy& wanted) {
    const auto data = signed_quirks(one, "");
    const Allowances allowances(data, kBox, now);
    return judged(log, wanted, &allowances);
  };
  const auto excused = with(quirk("exit-boot-services-not-logged"), policy);
  EXPECT_EQ(excused.of(Layer::kBoot), Tier::kWarning);
  ASSERT_NE(find(excused, "boot.quirk"), nullptr);
  EXPECT_EQ(find(excused, "boot.quirk")->allowed_by, "quirk-1");
  EXPECT_EQ(with(quirk("separator-missing"), policy).of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_EQ(with(quirk("exit-boot-services-not-logged", "Shelf"), policy).of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_EQ(with(quirk("exit-boot-services-not-logged"), policy_of(R"({"claims":["kernel"]})")).of(Layer::kBoot),
            Tier::kContraindicated);
  // A second separator is not one that is missing.
  log.event(3, measured_boot::EventType::kSeparator, Bytes(4));
  EXPECT_EQ(with(quirk("separator-missing"), policy_of(R"({"claims":["separators"]})")).of(Layer::kBoot),
            Tier::kContraindicated);
}

std::string event_of(unsigned pcr, const std::string& member, const std::string& value) {
  return R"({"events":[{"name":"one","pcr":)" + std::to_string(pcr) + ",\"" + member + "\":\"" + value + "\"}]}";
}

TEST(BootPolicy, ARequiredEventIsInItsRegisterAndConfirmed) {
  const LogWriter log = measured_boot::grub_boot();
  const std::string kernel = to_hex(crypto::digest(HashAlgorithm::kSha256, {as_bytes("the kernel")}).bytes());
  const auto tier = [&](const std::string& wanted) { return judged(log, policy_of(wanted)).of(Layer::kBoot); };
  EXPECT_EQ(tier(event_of(9, "sha256", kernel)), Tier::kAffirming);
  EXPECT_EQ(tier(event_of(9, "text", "the kernel")), Tier::kAffirming);
  EXPECT_EQ(tier(event_of(8, "sha256", kernel)), Tier::kContraindicated) << "another register";
  EXPECT_EQ(tier(event_of(9, "text", "the kernel ")), Tier::kContraindicated);
  EXPECT_EQ(tier(event_of(9, "sha384", std::string(96, '0'))), Tier::kContraindicated) << "a bank that is not there";
  // In the log, and not what the quote confirms.
  auto values = measured_boot::replay(measured_boot::parse_event_log(log.bytes()).value());
  for (const auto bank : {HashAlgorithm::kSha1, HashAlgorithm::kSha256})
    values.bank(bank).set(9, other(bank));
  const BootPolicy policy = policy_of(event_of(9, "sha256", kernel));
  const auto result = boot(log.bytes(), values, {.policy = &policy});
  EXPECT_NE(find(result, "boot.required"), nullptr);
}

TEST(BootPolicy, ARequiredEventMayBeSystemds) {
  const LogWriter log = measured_boot::grub_boot();
  const auto userspace =
      measured_boot::parse_userspace_log(as_bytes(measured_boot::test::log_of(measured_boot::test::kBoot))).value();
  const auto values =
      measured_boot::replay(userspace, measured_boot::replay(measured_boot::parse_event_log(log.bytes()).value()));
  const BootPolicy ready = policy_of(event_of(11, "text", "ready"));
  EXPECT_EQ(boot(log.bytes(), values, {.userspace = &userspace, .policy = &ready}).of(Layer::kBoot), Tier::kAffirming);
  EXPECT_EQ(boot(log.bytes(), values, {.policy = &ready}).of(Layer::kBoot), Tier::kContraindicated);
}

TEST(BootPolicy, WithoutALogNothingIsMet) {
  AttestationResult result;
  add_missing_log(policy_of(R"({"claims":["kernel"]})"), result);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
  AttestationResult nothing;
  add_missing_log({}, nothing);
  EXPECT_TRUE(nothing.findings().empty());
}

}  // namespace
}  // namespace warifu::attestation

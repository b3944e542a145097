// The boots of tests/logs under policies: a log that replays is no good boot while a required event is not in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "attestation/appraisal/boot_policy.h"
#include "attestation/appraisal/log_appraisal.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/registers_json.h"
#include "sim/own_logs.h"

namespace warifu::attestation {
namespace {

const sim::OwnLog& own_log(std::string_view name) {
  static const std::vector<sim::OwnLog> logs = sim::own_logs();
  const auto found = std::ranges::find(logs, name, &sim::OwnLog::name);
  EXPECT_NE(found, logs.end()) << name;
  return *found;
}

BootPolicy policy_of(std::initializer_list<std::string_view> claims) {
  BootPolicy policy;
  for (const std::string_view name : claims)
    policy.claims.push_back(find_boot_requirement(name));
  return policy;
}

// A file that the recipe put into the machine, by its digest.
RequiredEvent event_of(const sim::OwnLog& log, std::string_view kind, std::string_view name,
                       measured_boot::RegisterIndex pcr) {
  RequiredEvent event{.name = std::string(name), .pcr = pcr, .digest = {}, .text = {}};
  for (const auto& pair : log.expected.at("claims").at(kind).as_array()) {
    if (pair.at(0).as_string() != name) continue;
    event.digest.emplace(crypto::HashAlgorithm::kSha256);
    std::ranges::copy(from_hex(std::string_view(pair.at(1).as_string())).value(), event.digest->writable().begin());
  }
  EXPECT_TRUE(event.digest) << name;
  return event;
}

AttestationResult judged(std::string_view name, const BootPolicy& policy) {
  const sim::OwnLog& own = own_log(name);
  const auto ak = AkPublic::from_file(own.bytes("ak.public")).value();
  const auto quote = verify({own.bytes("attest"), own.bytes("signature")}, ak, AnyNonce{}).value();
  const auto registers =
      prove_registers(quote, measured_boot::parse_register_values(own.expected_text).value()).value();
  const Bytes bytes = own.bytes("event-log");
  const auto log = measured_boot::parse_event_log(bytes).value();
  AttestationResult result;
  EXPECT_TRUE(appraise_event_log(log, registers, result, {.policy = &policy})) << name;
  return result;
}

Tier boot_tier(std::string_view name, const BootPolicy& policy) {
  return judged(name, policy).of(Layer::kBoot);
}

TEST(RequiredEvents, AKernelThatQemuStartedPastFirmwareContradicts) {
  for (const BootPolicy& policy : {policy_of({"secure-boot", "kernel"}), policy_of({"boot-loader"})}) {
    EXPECT_EQ(boot_tier("uki-secure-boot", policy), Tier::kAffirming);
    EXPECT_EQ(boot_tier("qemu-kernel", policy), Tier::kContraindicated);
  }
  // Without a policy it is as good as any other.
  EXPECT_EQ(boot_tier("qemu-kernel", {}), boot_tier("uki-secure-boot", {}));
}

TEST(RequiredEvents, WhatIsMissingIsNamedWithTheReason) {
  const AttestationResult result = judged("qemu-kernel", policy_of({"secure-boot", "boot-loader", "kernel"}));
  std::map<std::string, std::string> reasons;
  for (const Finding& finding : result.findings()) {
    if (finding.code != "boot.required") continue;
    EXPECT_EQ(finding.what, "the policy requires \"" + finding.where + "\", and the log does not prove it");
    reasons[finding.where] = finding.came;
  }
  const std::map<std::string, std::string> expected = {
      {"boot-loader", "no image in PCR 4: firmware started none, or did not measure it [boot-loader.not-measured]"},
      {"kernel", "no event is a kernel's: whatever was started, this log does not say [kernel.not-measured]"}};
  EXPECT_EQ(reasons, expected);
}

TEST(RequiredEvents, ABootWithoutSecureBootOrOfAnotherImageContradicts) {
  const BootPolicy secure = policy_of({"secure-boot", "authorities-in-db", "separators", "exit-boot-services"});
  EXPECT_EQ(boot_tier("uki-secure-boot", secure), Tier::kAffirming);
  EXPECT_EQ(boot_tier("uki-secure-boot-off", secure), Tier::kContraindicated);
  BootPolicy of_command_line;
  of_command_line.events = {event_of(own_log("uki-secure-boot"), "section", ".cmdline", 11)};
  EXPECT_EQ(boot_tier("uki-secure-boot", of_command_line), Tier::kAffirming);
  EXPECT_EQ(boot_tier("uki-other-command-line", of_command_line), Tier::kContraindicated);
}

TEST(RequiredEvents, AKernelThatUBootDidNotMeasureContradicts) {
  const BootPolicy known = policy_of({"kernel", "kernel-command-line"});
  EXPECT_EQ(boot_tier("u-boot", known), Tier::kAffirming);
  EXPECT_EQ(boot_tier("u-boot-booti", known), Tier::kContraindicated);
  BootPolicy of_kernel;
  of_kernel.events = {event_of(own_log("u-boot"), "content", "linux", 8)};
  EXPECT_EQ(boot_tier("u-boot", of_kernel), Tier::kAffirming);
  EXPECT_EQ(boot_tier("u-boot-booti", of_kernel), Tier::kContraindicated);
}

}  // namespace
}  // namespace warifu::attestation

#include "attestation/appraisal/allowances.h"

#include "attestation/appraisal/test_appraisal.h"
#include "attestation/appraisal/test_waivers.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::EventType;
using measured_boot::LogWriter;
using measured_boot::RegisterIndex;
using measured_boot::RegisterValues;

const Timestamp kNow = std::chrono::sys_days(std::chrono::year(2030) / 1 / 1);

RegisterValues values_of(const Bytes& log) {
  return measured_boot::replay(measured_boot::parse_event_log(log).value());
}

AttestationResult boot_with(const endorsement::FirmwareQuirks& data, const Bytes& log, const RegisterValues& values,
                            const endorsement::MachineMatch& machine = kBox) {
  const Allowances allowances(data, machine, kNow);
  return boot(log, values, {.allowances = &allowances});
}

// The register of the stronger bank holds what the log does not explain.
RegisterValues differing_in(const Bytes& log, RegisterIndex index) {
  auto values = values_of(log);
  values.bank(HashAlgorithm::kSha256).set(index, other(HashAlgorithm::kSha256));
  return values;
}

TEST(Allowances, L14_AWaiverOfTheModelIsAppliedAndTold) {
  const Bytes log = boot_log();
  const auto values = differing_in(log, 0);
  const auto result = boot_with(signed_quirks("", waiver(0)), log, values);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kWarning);
  EXPECT_EQ(find(result, "eventlog.replay"), nullptr);
  EXPECT_EQ(find(result, "eventlog.agrees")->where, "sha1") << "and not of the bank of the waiver";
  const Finding* waived = find(result, "eventlog.waived");
  ASSERT_NE(waived, nullptr);
  EXPECT_EQ(waived->tier, Tier::kWarning);
  EXPECT_EQ(waived->allowed_by, "waiver-1");
  EXPECT_EQ(waived->where, "sha256:0");
  EXPECT_NE(waived->what.find("never replays"), std::string::npos);
  EXPECT_NE(waived->came, waived->expected);
  // What it waives is not proved.
  AttestationResult again;
  const auto data = signed_quirks("", waiver(0));
  const Allowances kept(data, kBox, kNow);
  const auto explained =
      appraise_event_log(measured_boot::parse_event_log(log).value(), proved(values), again, {.allowances = &kept});
  EXPECT_FALSE(explained->registers.confirmed.test(0));
  EXPECT_TRUE(explained->registers.confirmed.test(4));
}

TEST(Allowances, L14_WhatNoWaiverCoversContradicts) {
  const Bytes log = boot_log();
  const auto values = differing_in(log, 0);
  EXPECT_EQ(boot(log, values).of(Layer::kBoot), Tier::kContraindicated);
  const auto contradicts = [&](const std::string& one, const endorsement::MachineMatch& machine = kBox) {
    const auto result = boot_with(signed_quirks("", one), log, values, machine);
    EXPECT_EQ(find(result, "eventlog.waived"), nullptr);
    EXPECT_NE(find(result, "eventlog.replay"), nullptr);
    return result.of(Layer::kBoot) == Tier::kContraindicated;
  };
  EXPECT_TRUE(contradicts(waiver(4))) << "another register";
  EXPECT_TRUE(contradicts(waiver(0, "Box", "2099-12-31", "sha1"))) << "another bank";
  EXPECT_TRUE(contradicts(waiver(0, "Shelf"))) << "another model";
  EXPECT_TRUE(contradicts(waiver(0), {"Acme", "Shelf", "1.2"})) << "another machine";
  EXPECT_TRUE(contradicts(waiver(0, "Box", "2029-12-31"))) << "it is over";
  // A waiver that is over is named, so that nobody looks for it.
  const auto over = boot_with(signed_quirks("", waiver(0, "Box", "2029-12-31")), log, values);
  ASSERT_NE(find(over, "eventlog.waiver-expired"), nullptr);
  EXPECT_NE(find(over, "eventlog.waiver-expired")->what.find("waiver-1"), std::string::npos);
  // One that is not needed is not named.
  EXPECT_EQ(find(boot_with(signed_quirks("", waiver(0)), log, values_of(log)), "eventlog.waived"), nullptr);
}

// PCR 5 of firmware that measures the end of boot services and does not log it.
RegisterValues with_boot_services_left(const Bytes& log) {
  auto values = values_of(log);
  for (const auto bank : {HashAlgorithm::kSha1, HashAlgorithm::kSha256}) {
    crypto::Digest value = *values.find(bank, 5);
    for (const std::string_view text : {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success"})
      value = measured_boot::extended(value, crypto::digest(bank, {as_bytes(text)}).bytes());
    values.bank(bank).set(5, value);
  }
  return values;
}

TEST(Allowances, L13_TheQuirkOfTheModelExplainsPcr5) {
  const Bytes log = boot_log();
  const auto values = with_boot_services_left(log);
  const auto data = signed_quirks(quirk("exit-boot-services-not-logged"), "");
  const auto result = boot_with(data, log, values);
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kWarning);
  const Finding* told = find(result, "eventlog.quirk");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->allowed_by, "quirk-1");
  EXPECT_EQ(told->where, "sha256:5");
  const Allowances allowances(data, kBox, kNow);
  AttestationResult again;
  const auto explained = appraise_event_log(measured_boot::parse_event_log(log).value(), proved(values), again,
                                            {.allowances = &allowances});
  EXPECT_TRUE(explained->registers.confirmed.test(5)) << "the log and two known events are all that it holds";
}

TEST(Allowances, L13_WhatTheQuirkDoesNotExplainContradicts) {
  const Bytes log = boot_log();
  const auto values = with_boot_services_left(log);
  EXPECT_EQ(boot(log, values).of(Layer::kBoot), Tier::kContraindicated);
  const auto tier = [&](const std::string& one, const RegisterValues& quoted) {
    return boot_with(signed_quirks(one, ""), log, quoted).of(Layer::kBoot);
  };
  EXPECT_EQ(tier(quirk("exit-boot-services-not-logged", "Shelf"), values), Tier::kContraindicated);
  EXPECT_EQ(tier(quirk("separator-missing"), values), Tier::kContraindicated);
  EXPECT_EQ(tier(quirk("exit-boot-services-not-logged"), differing_in(log, 5)), Tier::kContraindicated);
  auto elsewhere = values_of(log);  // the same two events in PCR 4
  elsewhere.bank(HashAlgorithm::kSha256).set(4, *values.find(HashAlgorithm::kSha256, 5));
  EXPECT_EQ(tier(quirk("exit-boot-services-not-logged"), elsewhere), Tier::kContraindicated);
}

}  // namespace
}  // namespace warifu::attestation

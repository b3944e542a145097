#include "attestation/appraisal/hardware_appraisal.h"

#include <fmt/format.h>

#include "attestation/appraisal/policy_file.h"
#include "attestation/appraisal/test_appraisal.h"
#include "crypto/private_key.h"
#include "crypto/test_roca_key.h"
#include "endorsement/ek/key_file.h"
#include "wire/writer.h"

namespace warifu::attestation {
namespace {

using endorsement::FlawTable;
using endorsement::TpmClass;
using endorsement::VendorId;
using Worth = EkStanding::Worth;

// 7.85.4555.0 as Infineon counts.
constexpr std::uint64_t kFirmware = 0x0007'0055'0011'CB00;

FlawTable table_of(const std::string& flaws) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const std::string text =
      fmt::format(R"({{"format":"warifu.tpm-flaws.v1","issued":"2026-11-29","flaws":[{}]}})", flaws);
  return FlawTable::load(endorsement::SignedText::check(text, key.sign(as_bytes(text)), key.public_key()).value())
      .value();
}
// Of Infineon's firmware before 7.86 and, cleared, from there on.
std::string flaw(const std::string& id, bool is_confirmed = true) {
  return fmt::format(
      R"({{"id":"{}","name":"A hole","summary":"It leaks.","published":"2026-11-01","sources":["https://a.example"],)"
      R"("elsewhere":"unknown","rules":[{{"manufacturer":"IFX","affected":[{{"from":"7.0","before":"7.86"}}],)"
      R"("not_affected":[{{"from":"7.86","before":"8.0"}}],"source":{{"url":"https://maker.example/1","seen":"a list"{}}}}}]}})",
      id, is_confirmed ? R"(,"confirmed":"2026-11-29")" : "");
}
// Of which nothing is known for anybody.
std::string riddle(const std::string& id) {
  return fmt::format(
      R"({{"id":"{}","name":"A riddle","summary":"","published":"2026-11-01","sources":["https://a.example"],)"
      R"("elsewhere":"unknown","rules":[]}})",
      id);
}

EkStanding trusted() {
  return {.worth = Worth::kTrusted,
          .detail = "a root",
          .vendor = VendorId::parse("IFX"),
          .model = "SLB9670",
          .tpm_class = TpmClass::kDiscrete};
}

AttestationResult hardware_judged(const EkStanding& ek, std::optional<std::uint64_t> firmware, const std::string& flaws,
                                  const std::string& hardware = {}) {
  AttestationResult result;
  const auto policy = parse_evidence_policy(fmt::format(R"({{"format":"warifu.evidence-policy.v1"{}}})",
                                                        hardware.empty() ? "" : ",\"hardware\":" + hardware));
  EXPECT_TRUE(policy) << to_string(policy.error());
  const auto table = table_of(flaws);
  appraise_hardware({ek, firmware}, {table, policy->hardware_policy()}, result);
  return result;
}

TEST(HardwareAppraisal, AFlawThatAffectsTheTpmWarnsAndSaysBySource) {
  const auto result = hardware_judged(trusted(), kFirmware, flaw("CVE-1"));
  EXPECT_EQ(result.of(Layer::kHardware), Tier::kWarning);
  const auto* found = find(result, "hardware.tpm-flaw");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->where, "CVE-1");
  EXPECT_EQ(found->what, "A hole (CVE-1): firmware 7.85.4555.0 is affected; see https://maker.example/1");
  EXPECT_EQ(found->came, "IFX SLB9670, firmware 7.85.4555.0");
  EXPECT_EQ(find(result, "hardware.no-known-flaw"), nullptr);
}

TEST(HardwareAppraisal, WhatIsClearedIsGreenAndAnEmptyTableClearsNobody) {
  const auto result = hardware_judged(trusted(), 0x0007'0056'0000'0000, flaw("CVE-1"));
  EXPECT_EQ(result.of(Layer::kHardware), Tier::kAffirming);
  EXPECT_NE(find(result, "hardware.no-known-flaw"), nullptr);
  EXPECT_EQ(find(hardware_judged(trusted(), kFirmware, ""), "hardware.no-known-flaw"), nullptr);
}

TEST(HardwareAppraisal, ThePolicySaysWhatAFlawWeighs) {
  const std::tuple<const char*, Tier, const char*> rows[] = {
      {R"({})", Tier::kWarning, "hardware.tpm-flaw"},
      {R"({"flaws":"ignore"})", Tier::kAffirming, "hardware.tpm-flaw"},
      {R"({"flaws":"warn"})", Tier::kWarning, "hardware.tpm-flaw"},
      {R"({"flaws":"fail"})", Tier::kContraindicated, "hardware.tpm-flaw"},
      {R"({"flaws":"fail","accepted_flaws":["CVE-1"]})", Tier::kAffirming, "hardware.tpm-flaw-accepted"},
      {R"({"flaws":"fail","accepted_flaws":["CVE-2"]})", Tier::kContraindicated, "hardware.tpm-flaw"},
  };
  for (const auto& [policy, tier, code] : rows) {
    const auto result = hardware_judged(trusted(), kFirmware, flaw("CVE-1"), policy);
    EXPECT_EQ(result.of(Layer::kHardware), tier) << policy;
    EXPECT_NE(find(result, code), nullptr) << policy;
    EXPECT_EQ(find(result, "hardware.no-known-flaw"), nullptr) << policy;
  }
}

TEST(HardwareAppraisal, WhatIsOnlySaidWarnsAtMost) {
  for (const char* policy : {R"({"flaws":"warn"})", R"({"flaws":"fail"})"}) {
    const auto result = hardware_judged(trusted(), kFirmware, flaw("CVE-1", false), policy);
    EXPECT_EQ(result.of(Layer::kHardware), Tier::kWarning) << policy;
    EXPECT_NE(find(result, "hardware.tpm-flaw-said"), nullptr) << policy;
  }
  const auto cleared = hardware_judged(trusted(), 0x0007'0056'0000'0000, flaw("CVE-1", false));
  EXPECT_EQ(find(cleared, "hardware.no-known-flaw"), nullptr) << "nobody confirmed it";
}

TEST(HardwareAppraisal, WhatIsUnknownIsOneFindingAndNeverSafe) {
  const auto flaws = flaw("CVE-1") + "," + riddle("CVE-2") + "," + riddle("CVE-3");
  constexpr std::uint64_t kCleared = 0x0007'0056'0000'0000;
  const auto result = hardware_judged(trusted(), kCleared, flaws);
  EXPECT_EQ(result.of(Layer::kHardware), Tier::kAffirming) << "by its EK certificate";
  EXPECT_EQ(find(result, "hardware.no-known-flaw"), nullptr);
  const auto* unknown = find(result, "hardware.flaws-unknown");
  ASSERT_NE(unknown, nullptr);
  EXPECT_EQ(unknown->tier, Tier::kNone);
  EXPECT_EQ(unknown->what, "of 2 of 3 flaws nothing is known for this TPM, which does not make it safe: CVE-2, CVE-3");
  EXPECT_EQ(std::ranges::count(result.findings(), std::string_view("hardware.flaws-unknown"), &Finding::code), 1);

  EXPECT_EQ(hardware_judged(trusted(), kCleared, flaws, R"({"unknown_flaws":"warn"})").of(Layer::kHardware),
            Tier::kWarning);
  EXPECT_EQ(hardware_judged(trusted(), kCleared, flaws, R"({"unknown_flaws":"fail"})").of(Layer::kHardware),
            Tier::kContraindicated);
  const auto accepted =
      hardware_judged(trusted(), kCleared, flaws, R"({"unknown_flaws":"fail","accepted_flaws":["CVE-2","CVE-3"]})");
  EXPECT_EQ(accepted.of(Layer::kHardware), Tier::kAffirming);
  EXPECT_EQ(find(accepted, "hardware.no-known-flaw"), nullptr) << "accepted is not cleared";
}

// A device chooses its AK: one that hides the firmware version must not pass for one that has a good one.
TEST(HardwareAppraisal, WhoHidesWhichTpmItIsMeetsNoPolicyThatFailsFlaws) {
  constexpr const char* kPolicy = R"({"flaws":"fail"})";
  const auto hidden = hardware_judged(trusted(), std::nullopt, flaw("CVE-1"), kPolicy);
  EXPECT_EQ(hidden.of(Layer::kHardware), Tier::kContraindicated);
  EXPECT_NE(find(hidden, "hardware.flaws-not-judged"), nullptr);
  EXPECT_NE(find(hidden, "hardware.firmware-hidden"), nullptr);
  EXPECT_EQ(hardware_judged({}, kFirmware, flaw("CVE-1"), kPolicy).of(Layer::kHardware), Tier::kContraindicated);
  EXPECT_EQ(hardware_judged(trusted(), std::nullopt, flaw("CVE-1")).of(Layer::kHardware), Tier::kAffirming);
  EXPECT_EQ(hardware_judged({}, kFirmware, flaw("CVE-1")).of(Layer::kHardware), Tier::kNone);
}

TEST(HardwareAppraisal, ACertificateThatIsNotBelievedNamesNoMaker) {
  auto ek = trusted();
  ek.worth = Worth::kRefused;
  const auto result = hardware_judged(ek, 0x0007'0056'0000'0000, flaw("CVE-1"));
  EXPECT_EQ(result.of(Layer::kHardware), Tier::kWarning);
  EXPECT_NE(find(result, "hardware.flaws-unknown"), nullptr);
  EXPECT_EQ(find(result, "hardware.no-known-flaw"), nullptr);
  for (const char* policy : {R"({"classes":["discrete"]})", R"({"manufacturers":["IFX"]})"})
    EXPECT_EQ(hardware_judged(ek, kFirmware, "", policy).of(Layer::kHardware), Tier::kContraindicated) << policy;
}

TEST(HardwareAppraisal, AWeakKeyAccusesWithoutAnyCertificate) {
  EkStanding ek;
  ek.key = endorsement::parse_public_keys(to_bytes(as_bytes(std::string_view(crypto::kRocaKeyPem)))).value().front();
  AttestationResult result;
  const auto table = FlawTable::load(endorsement::SignedText::built_in_flaws()).value();
  const HardwarePolicy policy{.flaws = FlawWeight::kFail};
  appraise_hardware({ek, std::nullopt}, {table, &policy}, result);
  const auto* found = find(result, "hardware.tpm-flaw");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->where, "CVE-2017-15361");
  EXPECT_EQ(found->tier, Tier::kContraindicated);
}

TEST(HardwareAppraisal, ADemandThatTheTpmDoesNotMeetContradicts) {
  const std::tuple<const char*, Tier, const char*> rows[] = {
      {R"({"classes":["discrete","firmware"]})", Tier::kAffirming, nullptr},
      {R"({"classes":["firmware"]})", Tier::kContraindicated, "hardware.class"},
      {R"({"manufacturers":["IFX"]})", Tier::kAffirming, nullptr},
      {R"({"manufacturers":["STM","NTC"]})", Tier::kContraindicated, "hardware.manufacturer"},
      {R"({"ek_certificate":"required"})", Tier::kAffirming, nullptr},
  };
  for (const auto& [policy, tier, code] : rows) {
    const auto result = hardware_judged(trusted(), kFirmware, "", policy);
    EXPECT_EQ(result.of(Layer::kHardware), tier) << policy;
    if (code == nullptr) continue;
    ASSERT_NE(find(result, code), nullptr) << policy;
    EXPECT_FALSE(find(result, code)->expected.empty()) << policy;
  }
  EXPECT_EQ(find(hardware_judged(trusted(), kFirmware, "", R"({"classes":["firmware"]})"), "hardware.class")->came,
            "discrete");
  for (const Worth worth : {Worth::kNoCertificate, Worth::kRefused}) {
    EkStanding ek;
    ek.worth = worth;
    const auto result = hardware_judged(ek, kFirmware, "", R"({"ek_certificate":"required"})");
    EXPECT_NE(find(result, "hardware.ek-certificate-required"), nullptr);
    EXPECT_EQ(result.of(Layer::kHardware), Tier::kContraindicated);
  }
}

TEST(HardwareAppraisal, Q10_AFirmwareVersionIsTrueOfPrimariesOfTwoHierarchiesOnly) {
  const auto name = SoftwareAk::of(crypto::KeyKind::kEcP256).ak().identity()->name;
  const auto shown = [&](std::uint32_t hierarchy) {
    const QuoteState quote{{}, kFirmware, qualified_name(wire::Writer().u32(hierarchy).take(), name)};
    return shown_firmware(quote, name.bytes());
  };
  EXPECT_EQ(shown(0x4000000B), kFirmware);
  EXPECT_EQ(shown(0x4000000C), kFirmware);
  EXPECT_FALSE(shown(0x40000001)) << "the owner's hierarchy";
  EXPECT_FALSE(shown(0x40000007)) << "the NULL hierarchy";
  const auto other = SoftwareAk::of(crypto::KeyKind::kEcP256).ak().identity()->name;
  const QuoteState of_other{{}, kFirmware, qualified_name(wire::Writer().u32(0x4000000B).take(), other)};
  EXPECT_FALSE(shown_firmware(of_other, name.bytes()));
  EXPECT_FALSE(shown_firmware({{}, kFirmware, {}}, name.bytes()));
  EXPECT_FALSE(shown_firmware({{}, kFirmware, {}}, {})) << "no Name";
}

TEST(HardwareAppraisal, WhereNobodyLooksADemandIsNotMet) {
  const HardwarePolicy nothing;
  HardwarePolicy demanding;
  demanding.classes = {TpmClass::kDiscrete};
  for (const auto& [policy, tier] : {std::pair<const HardwarePolicy*, Tier>(nullptr, Tier::kNone),
                                     {&nothing, Tier::kNone},
                                     {&demanding, Tier::kContraindicated}}) {
    AttestationResult result;
    add_unshown_hardware({}, policy, result);
    EXPECT_EQ(result.of(Layer::kHardware), tier);
  }
}

}  // namespace
}  // namespace warifu::attestation

// Boots of real machines beside the registers that were read from them.
#include <boost/json/serialize.hpp>

#include "attestation/appraisal/policy_file.h"
#include "attestation/appraisal/test_appraisal.h"
#include "attestation/appraisal/test_waivers.h"
#include "measured_boot/registers_json.h"
#include "sim/test_data.h"
#include "wire/json.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::RegisterValues;

class RealBoots : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto data = sim::test_data();
    if (!data) GTEST_SKIP() << "there is no test data: set WARIFU_TEST_DATA";
    folder_ = *data / "eventlogs";
  }
  Bytes bytes(const std::string& name) const { return sim::read_test_file(folder_ / name); }
  // A member of an .expected.json that holds registers.
  RegisterValues values(const std::string& name, const std::string& member) const {
    const Bytes text = bytes(name);
    const auto expected = wire::parse_json(as_text(text)).value();
    return measured_boot::parse_register_values(boost::json::serialize(expected.as_object().at(member))).value();
  }

  std::filesystem::path folder_;
};

TEST_F(RealBoots, L15_AUnifiedKernelImageWithoutSystemdsLog) {
  const std::string name = "hostile/guard-oss__hahuri-invalid-eventlog";
  const auto result = boot(bytes(name + ".bin"), values(name + ".expected.json", "machine_pcrs"));
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kWarning);
  std::vector<std::string> unlogged;
  for (const Finding& finding : result.findings())
    if (finding.code == "eventlog.unlogged" && finding.tier == Tier::kWarning) unlogged.push_back(finding.where);
  EXPECT_NE(std::ranges::find(unlogged, "sha256:11"), unlogged.end());
  EXPECT_EQ(find(result, "eventlog.agrees"), nullptr);
}

TEST_F(RealBoots, L13_ALogWithoutTheEndOfBootServices) {
  const Bytes log = bytes("hostile/go-attestation__ebs_event_missing_eventlog.bin");
  auto quoted = measured_boot::replay(measured_boot::parse_event_log(log).value());
  crypto::Digest value = *quoted.find(HashAlgorithm::kSha1, 5);
  for (const std::string_view text : {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success"})
    value = measured_boot::extended(value, crypto::digest(HashAlgorithm::kSha1, {as_bytes(text)}).bytes());
  quoted.bank(HashAlgorithm::kSha1).set(5, value);
  EXPECT_EQ(boot(log, quoted, {.sha1 = Sha1Use::kAllowed}).of(Layer::kBoot), Tier::kContraindicated);
  const auto data = signed_quirks(quirk("exit-boot-services-not-logged"), "");
  const Allowances allowances(data, kBox, Timestamp());
  const auto known = boot(log, quoted, {.sha1 = Sha1Use::kAllowed, .allowances = &allowances});
  EXPECT_EQ(known.of(Layer::kBoot), Tier::kWarning);
  EXPECT_NE(find(known, "eventlog.quirk"), nullptr);
}

// A hardware TPM's own quote, and what Windows measured into the registers that it covers.
TEST_F(RealBoots, WindowsIsHeldToAPolicyByARealQuote) {
  const std::string id = "quotes/hw-ecc-IMN-SUPERMICRO-WBCL-Quote-AIKs";
  const Bytes message = bytes(id + ".attest.bin");
  const Bytes signature = bytes(id + ".sig.bin");
  const Bytes pem = bytes(id + ".ak.pem");
  const auto quote = verify({message, signature}, AkPublic::from_pem(as_text(pem)).value(), AnyNonce{}).value();
  const auto registers = prove_registers(quote, values(id + ".expected.json", "pcrs")).value();
  const Bytes log_bytes = bytes("windows-wbcl/guard-oss__IMN-SUPERMICRO-WBCL-Quote-AIKs.bin");
  const auto log = measured_boot::parse_event_log(log_bytes).value();
  const auto judged = [&](const std::string& claims) {
    const auto policy =
        parse_evidence_policy(R"({"format":"warifu.evidence-policy.v1","boot":{"claims":[)" + claims + "]}}");
    AttestationResult result;
    const BootExpectations expectations{.sha1 = Sha1Use::kAllowed, .policy = &policy.value().boot};
    EXPECT_TRUE(appraise_event_log(log, registers, result, expectations));
    return result;
  };
  const auto good =
      judged(R"("windows-code-integrity","windows-no-debugging","windows-normal-mode","windows-dep","windows-elam")");
  EXPECT_NE(find(good, "boot.policy"), nullptr);
  EXPECT_EQ(find(good, "boot.required"), nullptr);
  for (const std::string absent : {"windows-vbs", "windows-hvci", "windows-bitlocker-tpm"}) {
    const auto bad = judged("\"" + absent + "\"");
    EXPECT_EQ(bad.of(Layer::kBoot), Tier::kContraindicated);
    EXPECT_NE(find(bad, "boot.required"), nullptr) << absent;
  }
}

}  // namespace
}  // namespace warifu::attestation

// Data packages as they judge: verified when they are read, and used by the next evidence.
#include "verifier/data_packages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "attestation/appraisal/test_waivers.h"
#include "crypto/private_key.h"
#include "sim/deterministic.h"
#include "verifier/desk.h"
#include "verifier/flaw_trial.h"
#include "verifier/package_desk.h"
#include "verifier/test_attester.h"
#include "verifier/test_records.h"

namespace warifu::verifier {
namespace {

using attestation::Layer;
using attestation::Tier;

// 7.85.4555.0, as Infineon counts.
constexpr std::uint64_t kFirmwareVersion = 0x0007'0055'0011'CB00;

// One policy, one ledger, and packages.
class Stored final : public test::NoRecords {
 public:
  std::optional<StoredPolicy> policy;
  std::optional<Ledger> ledger;
  std::vector<StoredPackage> packages;
  int documents_read = 0;

  Result<std::optional<PackageInfo>> find_package_info(const ScopeId&, PackageKind kind) override {
    for (const auto& one : packages)
      if (one.info.kind == kind) return std::optional(one.info);
    return std::optional<PackageInfo>();
  }
  Result<std::optional<StoredPackage>> find_package(const ScopeId&, PackageKind kind) override {
    ++documents_read;
    for (const auto& one : packages)
      if (one.info.kind == kind) return std::optional(one);
    return std::optional<StoredPackage>();
  }
  Result<std::optional<PolicyInfo>> find_policy_info(const ScopeId&, std::string_view target) override {
    if (!policy || policy->info.target != target) return std::optional<PolicyInfo>();
    return std::optional(policy->info);
  }
  Result<std::optional<StoredPolicy>> find_policy(const ScopeId&, std::string_view) override { return policy; }
  Result<std::optional<Ledger>> find_ledger(const ScopeId&, const RegistrationId&) override { return ledger; }
};

class DataPackages : public testing::Test {
 protected:
  DataPackages() {
    ak_.ak_public = wire::Writer().sized16(attester_.ak.tpmt()).take();
    ak_.ak_name = to_bytes(ak_name().bytes());
    attester_.fields.firmware = kFirmwareVersion;
    attester_.fields.signer = attestation::qualified_name(wire::Writer().u32(0x4000000B).take(), ak_name());
    ek_.vendor = endorsement::VendorId::parse("IFX");
  }
  tpm::Name ak_name() const { return attester_.ak.ak().identity()->name; }

  static std::string accusing() {
    return R"({"format":"warifu.tpm-flaws.v1","issued":"2026-11-29","flaws":[{"id":"TEST-1","name":"News","summary":"",)"
           R"("published":"2026-11-29","sources":["https://a.example"],"elsewhere":"unknown","rules":[{"manufacturer":"IFX",)"
           R"("affected":[{"from":"7.85","before":"7.86"}],"source":{"url":"https://a.example","seen":"","confirmed":"2026-11-29"}}]}]})";
  }
  static std::string waiving(const std::string& product, const std::string& until) {
    return fmt::format(R"({{"format":"warifu.firmware-quirks.v1","quirks":[],"waivers":[{}]}})",
                       attestation::waiver(0, product, until));
  }
  // As the desk stores it; the signature is of `signer`.
  StoredPackage stored(PackageKind kind, const std::string& document, const crypto::PrivateKey& signer) {
    return {ak_.scope,
            {kind, Uuid::v7(clock_.now(), entropy_), {}, {}, {}},
            to_bytes(as_bytes(document)),
            signer.sign(as_bytes(document)),
            key_.public_key().to_pem()};
  }
  void put(PackageKind kind, const std::string& document) {
    std::erase_if(records_.packages, [&](const auto& one) { return one.info.kind == kind; });
    records_.packages.push_back(stored(kind, document, key_));
  }
  void put_policy(const std::string& members) {
    records_.policy = StoredPolicy{
        ak_.scope,
        {policy_target(ak_.registration_id), Uuid::v7(clock_.now(), entropy_), PolicyMode::kEnforce, {}, {}},
        fmt::format(R"({{"format":"warifu.evidence-policy.v1",{}}})", members)};
  }
  Result<Judged> judge() {
    clock_.advance(std::chrono::seconds(60));
    TRY(const auto told, desk_.nonce(records_, ak_, {}, attester_.boot_id));
    return desk_.judge(records_, ak_, {}, {}, ek_, attester_.submission(told.nonce));
  }
  attestation::AttestationResult judged() {
    auto done = judge();
    EXPECT_TRUE(done) << to_string(done.error());
    records_.ledger.reset();
    return done->appraised.result;
  }
  static bool has(const attestation::AttestationResult& result, std::string_view code) {
    return std::ranges::find(result.findings(), code, &attestation::Finding::code) != result.findings().end();
  }

  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  test::Attester attester_;
  BoundAk ak_{ScopeId::parse("0ne1").value(), RegistrationId::parse("meter-1").value(), Bytes(34, 1), {}, {}, {}};
  EkStanding ek_{EkStanding::Worth::kTrusted, "a root"};
  Stored records_;
  Desk desk_{clock_, entropy_, SecretBytes(Bytes(32, 1))};
};

TEST_F(DataPackages, TheOneThatStandsJudgesTheNextEvidence) {
  EXPECT_EQ(judged().of(Layer::kHardware), Tier::kAffirming) << "by the table that came with the program";
  put(PackageKind::kTpmFlaws, accusing());
  EXPECT_EQ(judged().of(Layer::kHardware), Tier::kWarning);
  EXPECT_TRUE(has(judged(), "hardware.tpm-flaw"));
  EXPECT_EQ(records_.documents_read, 1) << "it is parsed once for each revision";
  records_.packages.clear();
  EXPECT_FALSE(has(judged(), "hardware.tpm-flaw"));
}

TEST_F(DataPackages, OneThatItsKeyDidNotSignJudgesNobody) {
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  records_.packages = {stored(PackageKind::kTpmFlaws, accusing(), other)};
  const auto refused = judge();
  ASSERT_FALSE(refused) << "whoever changed the database chose the table";
  EXPECT_EQ(refused.error().code, "store.corrupt");

  const std::string pem = key_.public_key().to_pem();
  const auto code = [&](PackageKind kind, const std::string& document, const Bytes& signature,
                        const std::string& signer) {
    const auto checked = SignedPackage::check(kind, document, signature, signer);
    return checked ? std::string() : std::string(checked.error().code);
  };
  const std::string text = accusing();
  const Bytes signature = key_.sign(as_bytes(text));
  EXPECT_EQ(code(PackageKind::kTpmFlaws, text, signature, pem), "");
  EXPECT_EQ(code(PackageKind::kTpmFlaws, text + " ", signature, pem), "endorsement.data.signature");
  EXPECT_EQ(code(PackageKind::kTpmFlaws, text, signature, other.public_key().to_pem()), "endorsement.data.signature");
  EXPECT_EQ(code(PackageKind::kTpmFlaws, text, signature, "no key"), "data_package.key");
  EXPECT_EQ(code(PackageKind::kFirmwareQuirks, text, signature, pem), "json.unknown-field");
}

TEST_F(DataPackages, L14_AWaiverIsThatOfTheMachineThatThePolicyNamesAndEnds) {
  attester_.values.bank(crypto::HashAlgorithm::kSha256).set(0, crypto::Digest(crypto::HashAlgorithm::kSha256));
  const auto machine = [](const char* product) {
    return fmt::format(R"("machine":{{"manufacturer":"Acme","product":"{}"}})", product);
  };
  put(PackageKind::kFirmwareQuirks, waiving("Box", "2099-12-31"));
  EXPECT_EQ(judged().of(Layer::kBoot), Tier::kContraindicated) << "nobody says which machine it is";
  put_policy(machine("Box"));
  const auto waived = judged();
  EXPECT_EQ(waived.of(Layer::kBoot), Tier::kWarning);
  const auto found = std::ranges::find(waived.findings(), "eventlog.waived", &attestation::Finding::code);
  ASSERT_NE(found, waived.findings().end());
  EXPECT_EQ(found->allowed_by, "waiver-1");
  put_policy(machine("Rack"));
  EXPECT_EQ(judged().of(Layer::kBoot), Tier::kContraindicated) << "it is another model's";
  put_policy(machine("Box"));
  put(PackageKind::kFirmwareQuirks, waiving("Box", "2026-01-31"));
  const auto over = judged();
  EXPECT_EQ(over.of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_TRUE(has(over, "eventlog.waiver-expired"));
}

TEST_F(DataPackages, ATrialSaysWhoseHardwareWouldChangeByTheLastQuote) {
  const auto now = built_in_flaws();
  const std::string text = accusing();
  const auto package =
      SignedPackage::check(PackageKind::kTpmFlaws, text, key_.sign(as_bytes(text)), key_.public_key().to_pem());
  PolicyCache policies;
  const auto tried = [&] {
    return try_flaws(records_, policies, {ak_.scope, ak_.registration_id}, {}, ek_, {*now, *package->flaws()}).value();
  };
  EXPECT_FALSE(tried()) << "it never attested";
  records_.ledger = Ledger{.scope = ak_.scope, .registration_id = ak_.registration_id, .ak_name = ak_.ak_name};
  records_.ledger->quote.firmware_version = kFirmwareVersion;
  records_.ledger->quote.qualified_signer = attester_.fields.signer;
  EXPECT_EQ(verdict_of(*tried()), TrialVerdict::kWorse);
  EXPECT_EQ(tried()->tpm, "IFX, firmware 7.85.4555.0");
  put_policy(R"("hardware":{"flaws":"fail"})");
  EXPECT_EQ(verdict_of(*tried()), TrialVerdict::kFails);
  put_policy(R"("hardware":{"flaws":"fail","accepted_flaws":["TEST-1"]})");
  EXPECT_EQ(verdict_of(*tried()), TrialVerdict::kSame);
  // The Name of another AK does not fit what an older node left there.
  records_.ledger->ak_name = Bytes(34, 9);
  EXPECT_EQ(tried()->tpm, "IFX, firmware not shown");
}

}  // namespace
}  // namespace warifu::verifier

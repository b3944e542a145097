// Keys of applications from the operator to the TPM and back: a real TPM emulator, the TCB's and the agent's own code,
// the server's own code; and a device that loses power at each of its writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/application_keys.h"
#include "agent/attestation.h"
#include "crypto/cms.h"
#include "crypto/digest.h"
#include "device_site.h"
#include "front/api/test_operator.h"
#include "power_cuts.h"
#include "system/swtpm.h"

namespace warifu::scenarios {
namespace {

using tcb_protocol::ApplicationKeyHmac;
using tcb_protocol::CapApplicationKeys;
using tcb_protocol::ShowApplicationKey;

class NoLogs final : public agent::MeasurementLogs {
 public:
  Result<std::optional<Bytes>> event_log() override { return std::optional<Bytes>(); }
  Result<std::optional<Bytes>> ima_list(std::uint64_t) override { return std::optional<Bytes>(); }
  Result<std::optional<Bytes>> userspace_log() override { return std::optional<Bytes>(); }
  std::string boot_id() override { return "boot"; }
  std::optional<agent::RecordedNullName> null_name() override { return std::nullopt; }
};

const std::string kKeysPath = std::string("/api/v1/registrations/") + kDevice + "/application-keys";

// A device that comes, and asks for its keys.
class KeyBoot {
 public:
  KeyBoot(Organisation& organisation, sim::PowerLossDisk& disk, const test::Swtpm& tpm)
      : boot_(organisation, disk, tpm.tcti()) {}

  // Its code, or "".
  std::string come() {
    const auto contact = boot_.contact();
    return contact ? "" : to_string(contact.error());
  }
  std::string fetch() {
    agent::Attestor attestor(boot_.outside(), logs_);
    const auto outcome = agent::ApplicationKeyFetcher(boot_.outside(), attestor).fetch();
    if (outcome && !*outcome) return "not served";
    if (outcome) last_ = **outcome;
    return outcome ? "" : to_string(outcome.error());
  }
  // In hexadecimal, or the code of the refusal.
  std::string hmac(const std::string& name) {
    const auto mac = boot_.ask(ApplicationKeyHmac{name, SecretBytes::copy_of(as_bytes("a reading"))});
    return mac ? to_hex(mac->mac.reveal()) : std::string(mac.error().code);
  }
  int held() { return boot_.ask(ShowApplicationKey{0}).value().count; }
  Boot& boot() { return boot_; }
  const agent::ApplicationKeyFetcher::Outcome& last() const { return last_; }

 private:
  NoLogs logs_;
  Boot boot_;
  agent::ApplicationKeyFetcher::Outcome last_;
};

std::string expected_hmac(const std::string& key_base64) {
  const auto key = from_base64(key_base64).value();
  return to_hex(crypto::hmac(crypto::HashAlgorithm::kSha256, key, {as_bytes("a reading")}).bytes());
}

void enroll_device_of(KeyBoot& boot, Organisation& organisation) {
  const auto ek = tpm::EkPublic::from_tpm2b(boot.boot().tpm().keys().value().ek_public);
  front::test::must(organisation.server().enroll(kDevice, ek.value()));
}

class ApplicationKeyLife : public PowerCuts {
 protected:
  ApplicationKeyLife() { enroll_device_of(*boot_, organisation_); }

  void reboot() {
    boot_.reset();
    tpm_.power_cut();
    boot_.emplace(organisation_, disk_, tpm_);
  }
  std::string give(const std::string& more = "", const std::string& name = "mqtt") {
    const auto given = operator_.post(kKeysPath, R"({"name":")" + name + R"(","generate":true)" + more + "}");
    EXPECT_EQ(given.status, 201) << given.body;
    return member(given, "key");
  }
  std::string state(int version, const std::string& name = "mqtt") {
    const auto shown = boost::json::parse(operator_.get(kKeysPath + "/" + name).body);
    for (const auto& item : shown.at("items").as_array())
      if (item.at("version").to_number<int>() == version)
        return std::string(item.at("state").as_string()) + (item.as_object().contains("told_at") ? " told" : "");
    return "absent";
  }

  Organisation organisation_;
  test::Swtpm tpm_;
  sim::PowerLossDisk disk_;
  std::optional<KeyBoot> boot_{std::in_place, organisation_, disk_, tpm_};
  const front::test::Operator operator_{organisation_.server()};
};

TEST_F(ApplicationKeyLife, IsGivenUsedReplacedAndRevoked) {
  const auto first = give();
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(state(1), "active");
  EXPECT_EQ(boot_->hmac("mqtt"), expected_hmac(first));
  const auto second = member(operator_.post(kKeysPath + "/mqtt/rotate"), "key");
  EXPECT_EQ(boot_->hmac("mqtt"), expected_hmac(first)) << "until the next one is here";
  EXPECT_EQ(state(1) + ", " + state(2), "active, pending");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(boot_->hmac("mqtt"), expected_hmac(second));
  EXPECT_EQ(state(1) + ", " + state(2), "superseded, active");
  reboot();
  EXPECT_EQ(boot_->hmac("mqtt"), expected_hmac(second)) << "it needs no server";
  EXPECT_EQ(operator_.post(kKeysPath + "/mqtt/revoke").status, 200);
  EXPECT_EQ(state(2), "revoked");
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(state(2), "revoked told");
  EXPECT_EQ(boot_->hmac("mqtt"), "tcb.application-key.none");
}

TEST_F(ApplicationKeyLife, IsCappedAndWorksAgainAfterAReset) {
  const auto key = give(R"(,"capped_by_pcr":14)", "boot-secret");
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(boot_->hmac("boot-secret"), expected_hmac(key));
  ASSERT_TRUE(boot_->boot().ask(CapApplicationKeys{0}));
  EXPECT_EQ(boot_->hmac("boot-secret"), "tcb.application-key.capped");
  // The next version comes while it is capped, and waits.
  const auto next = member(operator_.post(kKeysPath + "/boot-secret/rotate"), "key");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(boot_->last().waiting, 1u);
  EXPECT_EQ(state(1, "boot-secret") + ", " + state(2, "boot-secret"), "active, pending");
  reboot();
  EXPECT_EQ(boot_->hmac("boot-secret"), expected_hmac(key));
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(boot_->hmac("boot-secret"), expected_hmac(next));
}

TEST_F(ApplicationKeyLife, IsDeliveredAnewToAClearedTpm) {
  const auto key = give();
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  const auto escrow = boot_->boot().escrow().value();
  const auto text = crypto::cms_decrypt(organisation_.escrow_key(), escrow.package).value();
  const std::string_view json = as_text(text.reveal());
  const auto auth = from_hex(json.substr(json.find(R"("auth":")") + 8, 64)).value();
  ASSERT_TRUE(boot_->boot().tpm().clear(SecretBytes::copy_of(auth)));
  organisation_.let_pass(std::chrono::seconds(1));
  EXPECT_EQ(boot_->hmac("mqtt"), "tpm.key.dead");
  // Its new SRK has proved nothing yet.
  EXPECT_THAT(boot_->fetch(), testing::HasSubstr("registered"));
  EXPECT_EQ(state(1), "pending");
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  EXPECT_EQ(state(1), "active");
  EXPECT_EQ(boot_->hmac("mqtt"), expected_hmac(key));
}

TEST_F(ApplicationKeyLife, IsNotGivenToAnEnrollmentThatWasMadeAnew) {
  give();
  ASSERT_EQ(boot_->come(), "");
  ASSERT_EQ(boot_->fetch(), "");
  front::test::must(organisation_.server().unenroll(kDevice));
  enroll_device_of(*boot_, organisation_);
  EXPECT_NE(boot_->fetch(), "");
  EXPECT_EQ(state(1), "revoked");
}

// --- Power ---

struct KeyLife {
  std::string finding;
  std::uint64_t operations = 0;  // of the disk, from the moment that it asks for its keys
};

// Power fails at the disk operation `cut` (0: afterwards) of a device that has one version and gets the next.
KeyLife live_with_keys(std::uint64_t cut, std::uint64_t seed, Syncs syncs) {
  Organisation organisation;
  test::Swtpm tpm;
  sim::PowerLossDisk disk;
  const front::test::Operator alice(organisation.server());
  KeyLife life;
  std::string first, second;
  bool acknowledged = false;
  {
    KeyBoot boot(organisation, disk, tpm);
    enroll_device_of(boot, organisation);
    first = member(alice.post(kKeysPath, R"({"name":"mqtt","generate":true})"), "key");
    if (const auto came = boot.come(); !came.empty()) return {came};
    if (const auto fetched = boot.fetch(); !fetched.empty()) return {fetched};
    disk.ignore_syncs(syncs == Syncs::kIgnored);
    second = member(alice.post(kKeysPath + "/mqtt/rotate"), "key");
    const auto before = disk.operations();
    if (cut != 0) disk.cut_after(cut, seed);
    const auto fetched = boot.fetch();
    acknowledged = fetched.empty() && disk.has_power();
    if (!fetched.empty() && disk.has_power()) return {"the fetch: " + fetched};
    life.operations = disk.operations() - before;
  }
  if (disk.has_power()) disk.cut(seed);
  disk.restore();
  tpm.power_cut();
  KeyBoot boot(organisation, disk, tpm);
  const auto mac = boot.hmac("mqtt");
  if (mac != expected_hmac(first) && mac != expected_hmac(second))
    life.finding = "no key is left: " + mac;
  else if (acknowledged && mac != expected_hmac(second))
    life.finding = "the version that was acknowledged is lost";
  else if (const auto came = boot.come(); !came.empty())
    life.finding = "it does not come: " + came;
  else if (const auto again = boot.fetch(); !again.empty())
    life.finding = "the next fetch: " + again;
  else if (boot.hmac("mqtt") != expected_hmac(second))
    life.finding = "it does not get the next version";
  else if (boot.held() != 1)
    life.finding = "it keeps what gave way";
  return life;
}

TEST(ApplicationKeyPowerLoss, AtAnyWriteLosesNoKeyThatIsInUse) {
  const KeyLife whole = live_with_keys(0, 1, Syncs::kHonoured);
  ASSERT_EQ(whole.finding, "");
  // One file is written twice, in four steps each.
  ASSERT_GE(whole.operations, 8U);
  for (std::uint64_t cut = 1; cut <= whole.operations; ++cut)
    EXPECT_EQ(live_with_keys(cut, 200 + cut, Syncs::kHonoured).finding, "") << "power lost at operation " << cut;
}

TEST(ApplicationKeyPowerLoss, WouldLoseThemIfSyncsDidNothing) {
  EXPECT_EQ(live_with_keys(0, 1, Syncs::kIgnored).finding, "the version that was acknowledged is lost");
}

}  // namespace
}  // namespace warifu::scenarios

// Losing power at each write of a device during its first start: it comes up again, is provisioned, and the lockout
// password of its TPM is never lost. A real TPM emulator, the device's own code, the server's own code; no sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/cms.h"
#include "device_site.h"
#include "power_cuts.h"
#include "system/swtpm.h"

namespace warifu::scenarios {
namespace {

// With what the organisation can open, the TPM's lockout password is known. An empty text, or what is wrong.
std::string escrow_finding(Boot& boot, Organisation& organisation) {
  const auto status = boot.tpm().status();
  if (!status) return "the TPM's status: " + to_string(status.error());
  if (!status->lockout_auth_set) return {};
  const auto escrow = boot.escrow();
  if (!escrow || escrow->package.empty()) return "lockoutAuth is set and its package is lost";
  const auto text = crypto::cms_decrypt(organisation.escrow_key(), escrow->package);
  if (!text) return "the package does not open";
  const std::string_view json = as_text(text->reveal());
  const auto at = json.find(R"("auth":")");
  if (at == std::string_view::npos) return "the package holds no lockoutAuth";
  auto auth = from_hex(json.substr(at + 8, 64));
  if (!auth) return "the package holds something else";
  const auto opened = boot.tpm().reset_lockout(SecretBytes(*std::move(auth)));
  return opened ? "" : "the package holds another lockoutAuth: " + to_string(opened.error());
}

struct Life {
  std::string finding;           // empty, or what was lost
  std::uint64_t operations = 0;  // of the disk, until the first contact had ended
};

// A device from its first start on, whose power fails at the disk operation `cut` (0: only after the first contact).
Life live(std::uint64_t cut, std::uint64_t seed, Syncs syncs) {
  Organisation organisation;
  test::Swtpm tpm;
  sim::PowerLossDisk disk;
  disk.ignore_syncs(syncs == Syncs::kIgnored);
  Life life;
  bool acknowledged = false;
  {
    Boot boot(organisation, disk, tpm.tcti());
    const auto ek = tpm::EkPublic::from_tpm2b(boot.tpm().keys().value().ek_public);
    front::test::must(organisation.server().enroll(kDevice, ek.value()));
    if (cut != 0) disk.cut_after(cut, seed);
    const auto first = boot.contact();
    acknowledged = first.has_value() && disk.has_power();
    if (acknowledged && boot.trust_bundle() != 1) life.finding = "it does not follow the trust bundle";
    if (!first && disk.has_power()) life.finding = "the first contact: " + to_string(first.error());
    life.operations = disk.operations();
  }
  if (disk.has_power()) disk.cut(seed);
  disk.restore();
  tpm.power_cut();
  if (!life.finding.empty()) return life;

  organisation.publish();
  Boot boot(organisation, disk, tpm.tcti());
  life.finding = escrow_finding(boot, organisation);
  if (life.finding.empty() && acknowledged && boot.trust_bundle() != 1)
    life.finding = "the trust bundle that was believed is lost";
  if (!life.finding.empty()) return life;
  const auto again = boot.contact();
  if (!again)
    life.finding = "the contact after the power cut: " + to_string(again.error());
  else if (boot.trust_bundle() != 2)
    life.finding = "it does not follow the next trust bundle";
  else if (acknowledged && boot.requests() != 3)  // twice the greeting, for the next bundle; and the bundle
    life.finding = "it was provisioned, and had to do it again";
  else if (!boot.is_believed(organisation))
    life.finding = "the server does not know its key";
  else
    life.finding = escrow_finding(boot, organisation);
  return life;
}

TEST(DevicePowerLoss, AtAnyWriteLosesNeitherTheLockoutPasswordNorWhatWasAcknowledged) {
  const Life whole = live(0, 1, Syncs::kHonoured);
  ASSERT_EQ(whole.finding, "");
  // Five files are written, one of them twice, in four steps each.
  ASSERT_GE(whole.operations, 20U);
  for (std::uint64_t cut = 1; cut <= whole.operations; ++cut)
    EXPECT_EQ(live(cut, 100 + cut, Syncs::kHonoured).finding, "") << "power lost at operation " << cut;
}

TEST(DevicePowerLoss, WouldLoseThemIfSyncsDidNothing) {
  EXPECT_EQ(live(0, 1, Syncs::kIgnored).finding, "lockoutAuth is set and its package is lost");
}

}  // namespace
}  // namespace warifu::scenarios

#include "tcb/device_certificate_fixture_test.h"
#include "tcb/test_bundle.h"
#include "tcb_protocol/limits.h"
#include "tpm_types/templates.h"

namespace warifu::tcb {
namespace {

// --- Keys that are proved ---

TEST_F(DeviceCertificate, IsForAKeyThatWaitsUntilItIsAccepted) {
  const auto first = prove();
  EXPECT_EQ(first.attest, device_.tpm.identity_keys[0].name());
  EXPECT_EQ(to_hex(first.signature), to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {kAskedNonce}).bytes()));
  EXPECT_THAT(first.creation_data, IsEmpty());
  EXPECT_TRUE(show().waiting);
  device_.restart();
  device_.verify_server();
  EXPECT_EQ(prove().public_area, first.public_area) << "a power cut costs no key";
  EXPECT_THAT(device_.tpm.identity_keys, SizeIs(1));
  EXPECT_NE(prove(false, true).public_area, first.public_area) << "asked for another one";
  const auto second = prove();
  EXPECT_THAT(device_.tpm.identity_keys, SizeIs(2));
  EXPECT_EQ(accept(issue(first)), "tcb.certificate.key") << "the first one was given up";
  EXPECT_EQ(accept(issue(second)), "");
  EXPECT_FALSE(show().waiting);
  EXPECT_NE(prove().public_area, second.public_area);
}

TEST_F(DeviceCertificate, IsForTheIDevIdWhichIsTheSameEachTime) {
  const auto proof = prove(true);
  EXPECT_EQ(proof.attest, device_.tpm.idevid_key.name());
  EXPECT_EQ(to_hex(proof.signature), to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {kAskedNonce}).bytes()));
  EXPECT_EQ(proof.creation_data, Bytes(32, 0xcc));
  EXPECT_EQ(prove(true, true).public_area, proof.public_area);
  EXPECT_FALSE(show().waiting);
  auto for_life = profile();
  for_life.not_after = crypto::kForLife;
  for_life.client_auth = false;
  for_life.serial_number = "4711";
  const auto chain = chain_of(organisation().device(for_life, key_of(proof)));
  EXPECT_EQ(accept(chain, 0, true), "");
  EXPECT_EQ(show(true).chain, chain);
  EXPECT_THAT(show().chain, IsEmpty()) << "an IDevID is no LDevID";
  EXPECT_EQ(accept(issue(prove()), 0, true), "tcb.certificate.key");
}

// Else the one who asks first could have what the other would be given.
TEST_F(DeviceCertificate, IsProvedOverNoNonceOfALocalQuote) {
  Bytes nonce = to_bytes(as_bytes(kLocalQuotePrefix));
  for (const bool idevid : {false, true})
    EXPECT_EQ(device_.ask(ProveKey{idevid, false, nonce}), "tcb.quote.local");
  nonce.front() ^= 1;
  EXPECT_EQ(device_.ask(ProveKey{true, false, nonce}), "");
}

TEST_F(DeviceCertificate, IsForNoKeyThatDiedWithItsSrk) {
  const auto first = prove();
  clear_by_somebody_else();
  EXPECT_NE(prove().public_area, first.public_area);
  EXPECT_THAT(device_.journal.warnings, SizeIs(1));
}

// --- Certificates that are taken ---

TEST_F(DeviceCertificate, IsTakenOnlyWhenItIsThisDevices) {
  const auto proof = prove();
  const auto key = key_of(proof);
  const auto& org = organisation();
  const auto with = [&](auto change) {
    auto changed = profile();
    change(changed);
    return chain_of(org.device(changed, key));
  };
  const auto other_key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key();
  const TestOrganisation other;
  const auto role_alone = org.endpoint_identity().certificate.to_der();
  struct Row {
    const char* what;
    std::vector<Bytes> chain;
    const char* code;
  };
  const Row rows[] = {
      {"another key", chain_of(org.device(profile(), other_key)), "tcb.certificate.key"},
      {"another organisation",
       {other.device(profile(), key).to_der(), other.endpoint_identity().certificate.to_der()},
       "crypto.path.issuer"},
      {"a role of ours for another purpose",
       {TestOrganisation::issued_by(org.role(), profile(), key).to_der(), org.role().certificate.to_der()},
       "tcb.certificate.issuer"},
      {"the root itself", {TestOrganisation::issued_by(org.root(), profile(), key).to_der()}, "tcb.certificate.issuer"},
      {"the root itself, with the role beside it",
       {TestOrganisation::issued_by(org.root(), profile(), key).to_der(), role_alone},
       "tcb.certificate.issuer"},
      {"without its issuer", {org.device(profile(), key).to_der()}, "crypto.path.issuer"},
      {"another device", with([](auto& p) { p.common_name = "press:5.left"; }), "tcb.certificate.name"},
      {"no name", with([](auto& p) { p.common_name.clear(), p.serial_number = "1"; }), "tcb.certificate.name"},
      {"one that ended", with([](auto& p) { p.not_after = kTestNow - std::chrono::seconds(1); }),
       "crypto.path.expired"},
      {"one that has not begun", with([](auto& p) { p.not_before = kTestNow + kTestDay; }),
       "crypto.path.not-yet-valid"},
      {"without a purpose", with([](auto& p) { p.client_auth = false; }), "tcb.certificate.purpose"},
      {"a server's", with([](auto& p) { p.client_auth = false, p.server_auth = true; }), "crypto.path.purpose"},
      {"a CA's", with([](auto& p) { p.client_auth = false, p.is_ca = true; }), "crypto.path.invalid"},
      {"no certificate", {Bytes{1, 2, 3}, role_alone}, "crypto.certificate.form"},
      {"nothing", {}, "tcb.certificate.size"},
      {"too many", std::vector<Bytes>(5, role_alone), "tcb.certificate.size"},
      {"too large", {Bytes(8192), Bytes(8192), Bytes(1)}, "tcb.certificate.size"},
  };
  for (const Row& row : rows) {
    const auto code = accept(row.chain);
    // A CA below one that may have none: which of the two is said is OpenSSL's choice.
    if (std::string_view(row.code) == "crypto.path.invalid")
      EXPECT_THAT(code, StartsWith("crypto.path.")) << row.what;
    else
      EXPECT_EQ(code, row.code) << row.what;
  }
  EXPECT_THAT(show().chain, IsEmpty());
  EXPECT_TRUE(show().waiting) << "what was refused costs no key";
  EXPECT_EQ(accept(issue(proof)), "");
}

TEST_F(DeviceCertificate, IsCutOffNowhere) {
  const auto chain = issue(prove());
  for (std::size_t size = 0; size < chain[0].size(); size += 7)
    EXPECT_EQ(accept({to_bytes(ByteView(chain[0]).first(size)), chain[1]}), "crypto.certificate.form") << size;
  for (std::size_t i = 0; i < chain[0].size(); ++i) {
    auto altered = chain;
    altered[0][i] ^= 1;
    EXPECT_NE(accept(altered), "") << i;
  }
  EXPECT_EQ(accept(chain), "");
}

TEST_F(DeviceCertificate, NeedsAKeyThatWaits) {
  const auto strange = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key();
  EXPECT_EQ(accept(chain_of(organisation().device(profile(), strange))), "tcb.certificate.none");
}

TEST_F(DeviceCertificate, IsTakenAgainWithoutAChange) {
  const auto chain = obtain();
  const auto record = device_.files.files;
  const int writes = device_.files.writes;
  EXPECT_EQ(accept(chain), "");
  EXPECT_EQ(device_.files.writes, writes);
  EXPECT_EQ(device_.files.files, record);
}

TEST_F(DeviceCertificate, IsTakenWhenTheClockIsKnownToBeBehind) {
  const auto proof = prove();
  device_.clock.set(Timestamp());
  device_.verify_server();
  EXPECT_EQ(accept(issue(proof)), "");
}

TEST_F(DeviceCertificate, IsRenewedWhenTheServerSaysOrAtHalfOfItsLife) {
  const auto half = to_unix_seconds(profile().not_before) +
                    (to_unix_seconds(profile().not_after) - to_unix_seconds(profile().not_before)) / 2;
  const auto asked = to_unix_seconds(kTestNow + 20 * kTestDay);
  for (const auto& [renew_after, expected] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{asked, asked},
                                                            {0, half},
                                                            {to_unix_seconds(profile().not_after), half},
                                                            {to_unix_seconds(profile().not_before), half},
                                                            {253'402'300'799, half}}) {
    ASSERT_EQ(accept(issue(prove()), renew_after), "");
    EXPECT_EQ(show().renew_after, expected) << renew_after;
    EXPECT_EQ(show().now, to_unix_seconds(kTestNow));
  }
  EXPECT_EQ(accept(issue(prove()), 253'402'300'800), "tcb.certificate.renewal");
  EXPECT_EQ(accept(issue(prove()), ~std::uint64_t{0}), "tcb.certificate.renewal");
}

TEST_F(DeviceCertificate, LeavesTheOneBeforeItUntilTheNext) {
  const auto first = obtain(), second = obtain();
  EXPECT_EQ(show().chain, second);
  EXPECT_EQ(show().previous, first);
  const auto third = obtain();
  EXPECT_EQ(show().chain, third);
  EXPECT_EQ(show().previous, second);
}

// Whatever is written when power fails: the device has its certificate, and what was answered holds.
TEST_F(DeviceCertificate, IsNeverLostWhenPowerFails) {
  int step = 1;
  for (bool failed = true; failed; ++step) {
    Device device;
    device.verify_server();
    const auto ask = [&](bool anew) {
      return device.service->handle(Caller::kAgent, ProveKey{false, anew, kAskedNonce});
    };
    const auto issued = [&](const ProveKey::Answer& proof) {
      return std::vector<Bytes>{device.organisation.device(profile(), key_of(proof)).to_der(),
                                device.organisation.endpoint_identity().certificate.to_der()};
    };
    const auto first = issued(*ask(false));
    ASSERT_EQ(device.ask(AcceptCertificate{false, first, 0}), "");
    device.power.cut_at(step);
    const auto proof = ask(false);
    std::vector<Bytes> second;
    std::string accepted = "not asked";
    if (proof) {
      second = issued(*proof);
      accepted = device.ask(AcceptCertificate{false, second, 0});
    }
    failed = device.power.has_failed();
    device.restart();
    device.verify_server();
    const auto shown = device.service->handle(Caller::kAdministrator, ShowCertificate{false});
    ASSERT_TRUE(shown) << step << ": " << to_string(shown.error());
    const bool has_second = !second.empty() && shown->chain == second;
    ASSERT_TRUE(has_second || shown->chain == first) << step;
    EXPECT_TRUE(!accepted.empty() || has_second) << step << ": what was answered is gone";
    if (has_second) {
      EXPECT_EQ(shown->previous, first) << step;
    } else if (proof) {
      EXPECT_TRUE(shown->waiting) << step << ": a key that was shown is gone";
      EXPECT_EQ(ask(false)->public_area, proof->public_area) << step;
      EXPECT_EQ(device.ask(AcceptCertificate{false, second, 0}), "") << step;
    }
  }
  EXPECT_GT(step, 8) << "power failed at few steps only";
}

TEST_F(DeviceCertificate, IsExportedForTheAdministratorOnly) {
  EXPECT_EQ(device_.ask(ExportKey{}, Caller::kAdministrator), "tcb.certificate.none");
  const auto chain = obtain();
  EXPECT_EQ(device_.ask(ExportKey{}), "tcb.denied");
  const auto key = device_.service->handle(Caller::kAdministrator, ExportKey{});
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_area, device_.tpm.identity_keys[0].public_area);
  EXPECT_THAT(key->private_area, SizeIs(2));
  EXPECT_EQ(key->parent, tpm::kSrkHandle);
  EXPECT_EQ(key->chain, chain);
}

// With a trust bundle the roles count that stand in it, for who issues and for who is shown it.
TEST_F(DeviceCertificate, IsTakenByTheRoleOfTheTrustBundleOnly) {
  const auto revocation = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  const TestIdentity escrow = organisation().under_root(organisation().escrow_profile(), crypto::KeyKind::kEcP384);
  const std::string json =
      signed_bundle(first_bundle(organisation(), escrow, revocation), {&organisation().root().key}).to_json();
  ASSERT_EQ(device_.ask(FollowTrustBundle{static_cast<std::uint32_t>(json.size()), 0, to_bytes(as_bytes(json))}), "");
  ASSERT_EQ(device_.verify_server(), "");
  const auto chain = obtain();
  const auto& listed_role = organisation().endpoint_identity().certificate;
  const TestIdentity unlisted = organisation().under_root({.common_name = listed_role.common_name(),
                                                           .organization = listed_role.organization(),
                                                           .not_before = kTestNow - kTestDay,
                                                           .not_after = kTestNow + 300 * kTestDay,
                                                           .is_ca = true,
                                                           .path_length = 0},
                                                          crypto::KeyKind::kEcP256);
  EXPECT_EQ(accept({TestOrganisation::issued_by(unlisted, profile(), key_of(prove())).to_der(),
                    unlisted.certificate.to_der()}),
            "tcb.certificate.untrusted");
  // A server of the root itself, in a handshake with the nonce of one that was checked.
  const TestIdentity by_root = organisation().under_root(organisation().server_profile(), crypto::KeyKind::kEcP256);
  const auto nonce = device_.begin();
  const auto with_other = recorded(organisation(), by_root, chain, nonce, false);
  const auto with_server = recorded(organisation(), device_.server, chain, nonce, true);
  EXPECT_EQ(sign_code(with_other), "crypto.path.issuer");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
  EXPECT_THAT(with_server, SizeIs(8)) << "it was content";
}

TEST_F(DeviceCertificate, IsNotTakenOfARoleThatIsRevoked) {
  const auto revocation = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  const TestIdentity escrow = organisation().under_root(organisation().escrow_profile(), crypto::KeyKind::kEcP384);
  auto contents = first_bundle(organisation(), escrow, revocation);
  contents.revoked.push_back({listed(organisation().endpoint_identity()).key, role_name("endpoint-identity"), kTestNow,
                              trust_bundle::Reason::kKeyCompromise});
  const std::string json = signed_bundle(contents, {&organisation().root().key}).to_json();
  ASSERT_EQ(device_.ask(FollowTrustBundle{static_cast<std::uint32_t>(json.size()), 0, to_bytes(as_bytes(json))}), "");
  ASSERT_EQ(device_.verify_server(), "");
  EXPECT_EQ(accept(issue(prove())), "tcb.certificate.untrusted");
}

}  // namespace
}  // namespace warifu::tcb

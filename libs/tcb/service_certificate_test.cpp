#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/handshake_content.h"
#include "tcb/services_fixture_test.h"
#include "tcb/test_bundle.h"
#include "tcb_protocol/limits.h"
#include "tpm_types/templates.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using testing::AnyOf;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const Bytes kAskedNonce(48, 9);

class DeviceCertificate : public Services {
 protected:
  DeviceCertificate() { device_.verify_server(); }

  // The key that waits, or the IDevID.
  ProveKey::Answer prove(bool idevid = false, bool anew = false) {
    auto proof = device_.service->handle(Caller::kAgent, ProveKey{idevid, anew, kAskedNonce});
    EXPECT_TRUE(proof) << to_string(proof.error());
    return proof ? *std::move(proof) : ProveKey::Answer{};
  }
  static crypto::PublicKey key_of(const ProveKey::Answer& proof) {
    const auto area = tpm::PublicArea::from_tpm2b(proof.public_area);
    const auto point = crypto::EcPublicKey::from_affine(crypto::EcCurve::kP256, area->unique(), area->unique_y());
    return crypto::Signer::outside(*point, nullptr).public_key();
  }
  crypto::CertificateProfile profile() const { return organisation().device_profile("press:4.left"); }
  std::vector<Bytes> chain_of(const crypto::Certificate& certificate) const {
    return {certificate.to_der(), organisation().endpoint_identity().certificate.to_der()};
  }
  std::vector<Bytes> issue(const ProveKey::Answer& proof) const {
    return chain_of(organisation().device(profile(), key_of(proof)));
  }
  std::string accept(std::vector<Bytes> chain, std::uint64_t renew_after = 0, bool idevid = false) {
    return device_.ask(AcceptCertificate{idevid, std::move(chain), renew_after});
  }
  // Proved, issued, accepted: its chain.
  std::vector<Bytes> obtain() {
    auto chain = issue(prove());
    EXPECT_EQ(accept(chain), "");
    return chain;
  }
  ShowCertificate::Answer show(bool idevid = false) {
    return device_.service->handle(Caller::kAdministrator, ShowCertificate{idevid}).value();
  }

  // A connection as the agent makes one. The handshake that the TCB was asked to sign, and whether both were content.
  ClientHandshake connect(const std::vector<Bytes>& chain, HandshakeOptions options = {}) {
    const auto certificate = crypto::Certificate::from_der(chain.front());
    options.nonce = to_bytes(device_.begin());
    const TestClient client{.certificate = &*certificate,
                            .judge = [&](const auto& seen) { return device_.ask(CheckServer{seen}).empty(); },
                            .sign = [&](const auto& seen, const auto&) { return sign(seen); }};
    return shake_hands_as(client, organisation(), device_.server, options);
  }
  Result<Bytes> sign(const std::vector<Bytes>& handshake, Caller caller = Caller::kAgent) {
    auto answer = device_.service->handle(caller, SignHandshake{handshake});
    sign_code_ = answer ? "" : std::string(answer.error().code);
    TRY(auto made, std::move(answer));
    return std::move(made.signature);
  }
  std::string sign_code(const std::vector<Bytes>& handshake) {
    static_cast<void>(sign(handshake));
    return sign_code_;
  }
  // One that the TCB has checked and not signed, and that shows this chain.
  std::vector<Bytes> checked(const std::vector<Bytes>& chain, bool check = true) {
    return recorded(organisation(), device_.server, chain, device_.begin(), check);
  }
  std::vector<Bytes> recorded(const TestOrganisation& of, const TestIdentity& server, const std::vector<Bytes>& chain,
                              const ServerNonce& nonce, bool check) {
    const auto certificate = crypto::Certificate::from_der(chain.front());
    const TestClient client{
        .certificate = &*certificate,
        .judge = [&](const auto& seen) { return !check || device_.ask(CheckServer{seen}).empty(); },
        .sign = [](const auto&, const auto&) -> Result<Bytes> { return invalid_input("test", "not signed here"); }};
    return shake_hands_as(client, of, server, {.nonce = to_bytes(nonce)}).messages;
  }
  const TestOrganisation& organisation() const { return device_.organisation; }
  void clear_by_somebody_else() { ++device_.tpm.clears; }

  std::string sign_code_;
};

std::uint64_t unix_seconds(Timestamp time) {
  return static_cast<std::uint64_t>(to_micros(time) / 1'000'000);
}

// --- Keys that are proved ---

TEST_F(DeviceCertificate, IsForAKeyThatWaitsUntilItIsAccepted) {
  const auto first = prove();
  EXPECT_EQ(first.attest, device_.tpm.identity_keys[0].name());
  EXPECT_EQ(to_hex(first.signature), to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {kAskedNonce}).bytes()));
  EXPECT_THAT(first.creation_hash, IsEmpty());
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
  EXPECT_THAT(proof.creation_hash, SizeIs(32));
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
  const auto half =
      unix_seconds(profile().not_before) + (unix_seconds(profile().not_after) - unix_seconds(profile().not_before)) / 2;
  const auto asked = unix_seconds(kTestNow + 20 * kTestDay);
  for (const auto& [renew_after, expected] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{asked, asked},
                                                            {0, half},
                                                            {unix_seconds(profile().not_after), half},
                                                            {unix_seconds(profile().not_before), half},
                                                            {253'402'300'799, half}}) {
    ASSERT_EQ(accept(issue(prove()), renew_after), "");
    EXPECT_EQ(show().renew_after, expected) << renew_after;
    EXPECT_EQ(show().now, unix_seconds(kTestNow));
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

// --- Handshakes that are signed ---

TEST_F(DeviceCertificate, IsShownInARealHandshakeOfEverySuite) {
  const auto chain = obtain();
  for (const char* suites : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    for (const bool retry : {false, true}) {
      EXPECT_TRUE(connect(chain, {.suites = suites, .retry = retry}).completed) << suites << ": " << sign_code_;
      EXPECT_EQ(device_.ask(Identity{}), "") << "the server is known by it, too";
    }
  }
  EXPECT_EQ(device_.tpm.identity_signatures, 6);
}

// When the server does not take the new one yet.
TEST_F(DeviceCertificate, IsShownTooWhenItIsTheOneBefore) {
  const auto first = obtain(), second = obtain();
  EXPECT_TRUE(connect(first).completed);
  EXPECT_TRUE(connect(second).completed);
  obtain();
  EXPECT_FALSE(connect(first).completed);
  EXPECT_EQ(sign_code_, "tcb.certificate.other");
}

TEST_F(DeviceCertificate, SignsEachHandshakeOnce) {
  const auto chain = obtain();
  const auto handshake = checked(chain);
  EXPECT_EQ(sign_code(handshake), "");
  EXPECT_EQ(sign_code(handshake), "tcb.nonce") << "the nonce was used";
  EXPECT_EQ(device_.tpm.identity_signatures, 1);
  // A try that fails uses it up, too.
  const auto another = checked(chain);
  EXPECT_THAT(sign_code({}), StartsWith("tcb.handshake."));
  EXPECT_EQ(sign_code(another), "tcb.nonce");
  // So does whoever begins anew.
  const auto third = checked(chain);
  device_.begin();
  EXPECT_EQ(sign_code(third), "tcb.nonce");
  const auto late = checked(chain);
  device_.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(sign_code(late), "tcb.nonce");
  EXPECT_EQ(device_.tpm.identity_signatures, 1);
}

TEST_F(DeviceCertificate, SignsNoHandshakeThatWasNotChecked) {
  const auto chain = obtain();
  EXPECT_EQ(sign_code(checked(chain, false)), "tcb.nonce");
  // One that was checked for somebody else.
  const auto handshake = checked(chain);
  device_.verify_server(Caller::kAdministrator);
  static_cast<void>(sign(handshake, Caller::kAdministrator));
  EXPECT_EQ(sign_code_, "tcb.handshake.nonce");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

// The check is of one handshake, and the signature of that very one: the server is verified in it anew.
TEST_F(DeviceCertificate, SignsNoHandshakeWithAServerThatWasNotVerified) {
  const auto chain = obtain();
  const TestOrganisation other;
  const auto stranger = other.server();
  const auto nonce = device_.begin();
  const auto with_stranger = recorded(other, stranger, chain, nonce, false);
  recorded(organisation(), device_.server, chain, nonce, true);
  EXPECT_EQ(sign_code(with_stranger), "crypto.path.issuer");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

TEST_F(DeviceCertificate, SignsNoHandshakeInAnotherFormOrOrder) {
  const auto chain = obtain();
  const std::size_t count = checked(chain).size();
  ASSERT_EQ(count, 8U);
  for (std::size_t m = 0; m < count; ++m) {
    auto shorter = checked(chain);
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(m));
    EXPECT_EQ(sign_code(shorter), "tcb.handshake.order") << "without message " << m;
    auto doubled = checked(chain);
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(m), doubled[m]);
    EXPECT_THAT(sign_code(doubled), StartsWith("tcb.handshake.")) << "message " << m << " twice";
    auto cut = checked(chain);
    cut[m].pop_back();
    EXPECT_NE(sign_code(cut), "") << "message " << m << " cut";
    auto longer = checked(chain);
    longer[m].push_back(0);
    EXPECT_NE(sign_code(longer), "") << "message " << m << " longer";
  }
  auto after = checked(chain);
  after.push_back({20, 0, 0, 0});
  EXPECT_EQ(sign_code(after), "tcb.handshake.order");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

TEST_F(DeviceCertificate, SignsNoHandshakeThatShowsAnotherOne) {
  const auto chain = obtain();
  const auto strange = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key();
  EXPECT_EQ(sign_code(checked(chain_of(organisation().device(profile(), strange)))), "tcb.certificate.other");
  // Of the same key, by another issuer.
  const auto current = crypto::Certificate::from_der(chain.front());
  const auto twin = TestOrganisation::issued_by(organisation().role(), profile(), *current->public_key());
  EXPECT_EQ(sign_code(checked({twin.to_der()})), "tcb.certificate.other");
  EXPECT_EQ(device_.tpm.identity_signatures, 0);
}

// The other side verifies over what was really said: a changed byte after the server's part spoils the signature only.
TEST_F(DeviceCertificate, SignsOverTheTranscriptAndNothingElse) {
  const auto chain = obtain();
  const auto key = crypto::Certificate::from_der(chain.front())->public_key();
  const auto handshake = checked(chain);
  const auto signature = sign(handshake);
  ASSERT_TRUE(signature);
  const auto transcript = parse_client_authentication(handshake)->transcript;
  EXPECT_TRUE(key->verify(handshake_content("TLS 1.3, client CertificateVerify", transcript), *signature));
  EXPECT_FALSE(key->verify(handshake_content("TLS 1.3, server CertificateVerify", transcript), *signature));
  EXPECT_FALSE(key->verify(transcript.bytes(), *signature));
}

// --- Keys that die ---

TEST_F(DeviceCertificate, DiesWithItsSrkAndTheIDevIdDoesNot) {
  auto for_life = profile();
  for_life.not_after = crypto::kForLife;
  const auto idevid = chain_of(organisation().device(for_life, key_of(prove(true))));
  ASSERT_EQ(accept(idevid, 0, true), "");
  obtain();
  obtain();
  prove();
  clear_by_somebody_else();
  const auto shown = show();
  EXPECT_TRUE(shown.died);
  EXPECT_THAT(shown.chain, IsEmpty());
  EXPECT_THAT(shown.previous, IsEmpty());
  EXPECT_FALSE(shown.waiting);
  EXPECT_THAT(device_.journal.warnings, testing::ElementsAre(testing::HasSubstr("LDevID")));
  EXPECT_FALSE(show().died) << "it is told once";
  EXPECT_EQ(show(true).chain, idevid);
  EXPECT_EQ(device_.ask(ExportKey{}, Caller::kAdministrator), "tcb.certificate.none");
}

TEST_F(DeviceCertificate, IsDroppedWhenItsDeathIsNoticedBySigning) {
  const auto handshake = checked(obtain());
  clear_by_somebody_else();
  EXPECT_EQ(sign_code(handshake), "tpm.key.dead");
  EXPECT_THAT(show().chain, IsEmpty());
}

TEST_F(DeviceCertificate, IsForgottenWhenTheTpmIsCleared) {
  const auto package = device_.own();
  const auto chain = obtain();
  const Bytes auth = *device_.tpm.lockout_auth;
  ASSERT_EQ(device_.ask(Clear{SecretBytes::copy_of(auth)}, Caller::kAdministrator), "");
  EXPECT_FALSE(show().died);
  EXPECT_THAT(show().chain, IsEmpty());
}

// What the TPM does not say of a key is no death.
TEST_F(DeviceCertificate, OutlivesATpmThatIsAway) {
  const auto chain = obtain();
  device_.power.cut_at(2);  // the record is read before
  EXPECT_EQ(device_.ask(ShowCertificate{false}), "test.power");
  device_.power.restore();
  EXPECT_EQ(show().chain, chain);
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

// With a trust bundle the role counts that stands in it, and the connection is judged by the newest.
TEST_F(DeviceCertificate, IsTakenByTheRoleOfTheTrustBundleOnly) {
  const auto revocation = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  const TestIdentity escrow = organisation().under_root(organisation().escrow_profile(), crypto::KeyKind::kEcP384);
  const auto follow = [&](const trust_bundle::Contents& contents, const crypto::PrivateKey& key) {
    const std::string json = signed_bundle(contents, {&key}).to_json();
    return device_.ask(FollowTrustBundle{static_cast<std::uint32_t>(json.size()), 0, to_bytes(as_bytes(json))});
  };
  auto contents = first_bundle(organisation(), escrow, revocation);
  ASSERT_EQ(follow(contents, organisation().root().key), "");
  ASSERT_EQ(device_.verify_server(), "");
  const auto chain = obtain();
  const auto proof = prove();
  ++contents.version;
  contents.revoked.push_back({listed(organisation().endpoint_identity()).key, role_name("endpoint-identity"), kTestNow,
                              trust_bundle::Reason::kKeyCompromise});
  // Between the server's proof and the device's signature the server's role is revoked, too.
  const auto certificate = crypto::Certificate::from_der(chain.front());
  HandshakeOptions options;
  options.nonce = to_bytes(device_.begin());
  const TestClient client{
      .certificate = &*certificate,
      .judge =
          [&](const auto& seen) {
            EXPECT_EQ(device_.ask(CheckServer{seen}), "");
            auto after = contents.clone();
            after.revoked.push_back({listed(organisation().role()).key, role_name("server-communication"), kTestNow,
                                     trust_bundle::Reason::kKeyCompromise});
            EXPECT_EQ(follow(after, revocation), "");
            return true;
          },
      .sign = [&](const auto& seen, const auto&) { return sign(seen); }};
  shake_hands_as(client, organisation(), device_.server, options);
  EXPECT_EQ(sign_code_, "tcb.server.unverified");
  EXPECT_EQ(accept(issue(proof)), "tcb.server.unverified");
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

#include "tcb/escrow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/cms.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "tcb/test_service.h"
#include "wire/json.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using crypto::KeyKind;
using Device = TestDevice<sim::SoftwareTpm, sim::SteppingClock, sim::SeededEntropy>;

Bytes sha256(ByteView bytes) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

class Ownership : public testing::Test {
 protected:
  static constexpr Caller kAdministrator = Caller::kAdministrator;  // needs no server for what is tried here

  std::string own() { return device_.ask(Own{{escrow_.certificate.to_der()}}, kAdministrator); }
  ReadEscrow::Answer package() { return device_.service->handle(kAdministrator, ReadEscrow{}).value(); }
  // What the organisation finds in a package; the auth as bytes.
  std::optional<Bytes> auth_in(ByteView package) {
    const auto text = crypto::cms_decrypt(escrow_.key, package);
    if (!text) return std::nullopt;
    const auto json = wire::parse_json(as_text(text->reveal()));
    const auto fields = wire::JsonFields::of(*json);
    EXPECT_EQ(*fields->required_string("kind"), "tpm-lockout-auth");
    EXPECT_EQ(*fields->required_string("registration_id"), "press:4.left");
    EXPECT_EQ(*fields->required_string("ek_name"), to_hex(device_.software.ek().name().bytes()));
    EXPECT_EQ(*fields->required_string("created_at"), "2026-01-01T00:00:00.000000Z");
    EXPECT_TRUE(fields->refuse_unknown({"kind", "registration_id", "ek_name", "created_at", "auth"}));
    return *from_hex(*fields->required_string("auth"));
  }
  // The organisation can open what is set; nobody can who has the disk only.
  void expect_ours() {
    ASSERT_TRUE(device_.tpm.lockout_auth);
    EXPECT_EQ(auth_in(package().package), *device_.tpm.lockout_auth);
    for (const auto& [name, content] : device_.files.files) {
      const auto text = std::string(as_text(content));
      EXPECT_EQ(text.find(as_text(*device_.tpm.lockout_auth)), std::string::npos) << name;
      EXPECT_EQ(text.find(to_hex(*device_.tpm.lockout_auth)), std::string::npos) << name;
    }
  }
  void refuse(const crypto::Certificate& certificate, std::string_view code) {
    EXPECT_EQ(device_.ask(Own{{certificate.to_der()}}, kAdministrator), code);
    EXPECT_FALSE(device_.tpm.lockout_auth);
    EXPECT_TRUE(device_.files.files.empty());
  }
  crypto::Certificate escrow_with(const std::function<void(crypto::CertificateProfile&)>& change) {
    auto profile = device_.organisation.escrow_profile();
    change(profile);
    return std::move(device_.organisation.under_root(profile, KeyKind::kEcP256).certificate);
  }

  Device device_;
  const TestIdentity escrow_ = device_.organisation.under_root(device_.organisation.escrow_profile(), KeyKind::kEcP384);
};

TEST_F(Ownership, IsTakenWithAnAuthThatOnlyTheOrganisationKnows) {
  EXPECT_TRUE(package().package.empty());
  EXPECT_EQ(own(), "");
  expect_ours();
  EXPECT_EQ(device_.tpm.lockout_auth->size(), 32U);
  EXPECT_NE(device_.tpm.lockout_auth->back(), 0) << "a TPM drops zeros at the end";
  EXPECT_FALSE(package().delivered);
}

TEST_F(Ownership, IsTakenOnce) {
  ASSERT_EQ(own(), "");
  const auto before = package().package;
  EXPECT_EQ(own(), "");
  device_.restart();
  EXPECT_EQ(own(), "");
  EXPECT_EQ(device_.tpm.owns, 1);
  EXPECT_EQ(package().package, before);
}

// Own at a power cut in each of its steps: afterwards the organisation can open what is set, or nothing is set; and a
// second start comes to the same end as an undisturbed one.
TEST_F(Ownership, SurvivesAPowerCutAtEachStep) {
  int cuts = 0;
  for (int step = 1;; ++step) {
    device_.tpm.lockout_auth.reset();
    device_.files.files.clear();
    device_.power.cut_at(step);
    const std::string code = own();
    const bool cut = device_.power.has_failed();
    EXPECT_EQ(code, cut ? "test.power" : "");
    device_.restart();
    if (device_.tpm.lockout_auth) expect_ours();
    EXPECT_EQ(own(), "") << "after a cut at step " << step;
    expect_ours();
    if (!cut) break;
    ++cuts;
  }
  EXPECT_GT(cuts, 8);
}

// An error answer of a TPM has no HMAC: whoever sits on the bus can put any in the place of "done".
TEST_F(Ownership, IsNotForgottenForAnAnswerThatSomebodyAltered) {
  for (const Error& forged : {Error{ErrorKind::kConflict, "tpm.nv.defined", "the index exists already"},
                              Error{ErrorKind::kRefused, "tpm.auth", "wrong"}}) {
    device_.tpm.own_answer = forged;
    EXPECT_EQ(own(), forged.code);
    expect_ours();
    device_.tpm.own_answer.reset();
    device_.restart();
    EXPECT_EQ(own(), "") << "it was ours all the time";
    expect_ours();
    EXPECT_EQ(device_.ask(Clear{SecretBytes::copy_of(*device_.tpm.lockout_auth)}, kAdministrator), "");
  }
}

TEST_F(Ownership, IsNotTakenFromSomebodyElse) {
  device_.tpm.lockout_auth = Bytes(32, 9);
  EXPECT_EQ(own(), "tcb.escrow.foreign");
  EXPECT_EQ(device_.tpm.owns, 0);
  EXPECT_TRUE(package().package.empty());
}

TEST_F(Ownership, IsTakenAnewAfterAClear) {
  ASSERT_EQ(own(), "");
  const auto former = package().package;
  const auto auth = *device_.tpm.lockout_auth;
  // In the firmware's setup, so that the file stays.
  ASSERT_TRUE(device_.tpm.clear(SecretBytes::copy_of(auth)));
  EXPECT_TRUE(package().package.empty()) << "it is of a former ownership";
  EXPECT_EQ(own(), "");
  expect_ours();
  EXPECT_NE(package().package, former);
}

TEST_F(Ownership, OfSomebodyElseAfterAClearIsNotOurs) {
  ASSERT_EQ(own(), "");
  ASSERT_TRUE(device_.tpm.clear(SecretBytes::copy_of(*device_.tpm.lockout_auth)));
  device_.tpm.lockout_auth = Bytes(32, 9);
  EXPECT_TRUE(package().package.empty());
  EXPECT_EQ(own(), "tcb.escrow.foreign");
}

TEST_F(Ownership, EndsWithAClearOfTheAdministrator) {
  ASSERT_EQ(own(), "");
  device_.provision(SecretBytes(32));
  EXPECT_EQ(device_.ask(Clear{SecretBytes(32)}, kAdministrator), "tpm.auth");
  EXPECT_TRUE(device_.files.files.contains("identity"));
  const auto auth = *auth_in(package().package);
  EXPECT_EQ(device_.ask(Clear{SecretBytes::copy_of(auth)}, kAdministrator), "");
  EXPECT_FALSE(device_.files.files.contains("identity"));
  EXPECT_FALSE(device_.files.files.contains("escrow"));
}

// --- A malicious server ---

TEST_F(Ownership, IsNotGivenToTheEscrowKeyOfAnotherOrganisation) {
  const TestOrganisation other;
  refuse(other.under_root(other.escrow_profile(), KeyKind::kEcP256).certificate, "crypto.path.issuer");
}

TEST_F(Ownership, IsGivenToACertificateForThisOnly) {
  refuse(escrow_with([](auto& profile) { profile.other_purposes.clear(); }), "crypto.path.purpose");
  refuse(escrow_with([](auto& profile) { profile.other_purposes = {"2.25.1"}; }), "crypto.path.purpose");
  refuse(device_.server.certificate, "crypto.path.issuer");  // without the role that is between
  refuse(device_.organisation.role().certificate, "crypto.path.purpose");
  refuse(device_.organisation.root().certificate, "crypto.path.purpose");
}

TEST_F(Ownership, IsNotGivenToAnExpiredOrWeakCertificate) {
  refuse(escrow_with([](auto& profile) { profile.not_after = kTestNow - std::chrono::minutes(1); }),
         "crypto.path.expired");
  refuse(escrow_with([](auto& profile) { profile.not_before = kTestNow + kTestDay; }), "crypto.path.not-yet-valid");

  auto weak = escrow_with([](auto&) {});
  const crypto::PkeyHandle key(EVP_RSA_gen(1024u));
  ASSERT_EQ(X509_set_pubkey(weak.native(), key.get()), 1);
  ASSERT_GT(X509_sign(weak.native(), device_.organisation.root().key.native(), EVP_sha256()), 0);
  refuse(*crypto::Certificate::from_der(weak.to_der()), "crypto.path.weak");
  EXPECT_EQ(own(), "") << "the right one";
}

TEST_F(Ownership, RefusesSuchAServerAlsoLater) {
  ASSERT_EQ(own(), "");
  const TestOrganisation other;
  const auto stranger = other.under_root(other.escrow_profile(), KeyKind::kEcP256);
  EXPECT_EQ(device_.ask(Own{{stranger.certificate.to_der()}}, kAdministrator), "crypto.path.issuer");
  EXPECT_EQ(device_.ask(Own{{Bytes(64, 0x30)}}, kAdministrator), "crypto.certificate.form");
  EXPECT_EQ(device_.ask(Own{{}}, kAdministrator), "crypto.path.invalid");
}

// --- Delivery ---

TEST_F(Ownership, IsDeliveredWhenTheServerHasThisPackage) {
  EXPECT_EQ(device_.ask(EscrowDelivered{sha256({})}, kAdministrator), "tcb.escrow.other") << "there is none";
  ASSERT_EQ(own(), "");
  EXPECT_EQ(device_.ask(EscrowDelivered{Bytes(32)}, kAdministrator), "tcb.escrow.other");
  EXPECT_EQ(device_.ask(EscrowDelivered{{}}, kAdministrator), "tcb.escrow.other");
  EXPECT_FALSE(package().delivered);
  const auto kept = package().package;
  EXPECT_EQ(device_.ask(EscrowDelivered{sha256(kept)}, kAdministrator), "");
  device_.restart();
  EXPECT_TRUE(package().delivered);
  EXPECT_EQ(package().package, kept);
  const int writes = device_.files.writes;
  EXPECT_EQ(device_.ask(EscrowDelivered{sha256(kept)}, kAdministrator), "");
  EXPECT_EQ(device_.files.writes, writes) << "nothing new to write";
}

TEST_F(Ownership, ShowsInTheStatus) {
  const auto status = [&] { return device_.service->handle(kAdministrator, tcb_protocol::TpmStatus{}).value(); };
  EXPECT_FALSE(status().lockout_auth_set);
  EXPECT_FALSE(status().has_escrow);
  ASSERT_EQ(own(), "");
  EXPECT_TRUE(status().lockout_auth_set);
  EXPECT_TRUE(status().has_escrow);
  EXPECT_FALSE(status().escrow_delivered);
  device_.ask(EscrowDelivered{sha256(package().package)}, kAdministrator);
  EXPECT_TRUE(status().escrow_delivered);
}

}  // namespace
}  // namespace warifu::tcb

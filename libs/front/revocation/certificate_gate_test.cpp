#include "front/revocation/certificate_gate.h"

#include <gmock/gmock.h>

#include "front/revocation/certificate_world_test.h"

namespace warifu::front::revocation {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

const std::string kBase = "/api/v1/device/" + test::kScope + "/registrations/soft-1";
const std::string kDps = "/" + test::kScope + "/registrations/soft-1/register?api-version=2021-06-01";

class CertificateGateTest : public testing::Test, protected test::CertificateWorld {
 protected:
  // As this node hears of it within a second.
  crypto::Certificate in_state(const std::string& state) {
    auto certificate = state == "inactive" ? inactive() : active();
    if (state == "held") change(certificate, "suspend");
    if (state == "revoked") change(certificate, "revoke");
    look();
    return certificate;
  }
  net::HttpResponse put_dps(const Bytes& shown) {
    return ask(net::Method::kPut, kDps, R"({"registrationId":"soft-1"})", shown);
  }
};

TEST_F(CertificateGateTest, LetsAGoodOneThrough) {
  const Bytes shown = in_state("active").to_der();
  EXPECT_EQ(ask(net::Method::kGet, "/api/v1/device/self", {}, shown).status, 200);
  EXPECT_NE(put_dps(shown).status, 403);
}

TEST_F(CertificateGateTest, RefusesOneThatDoesNotCountOnEveryRoute) {
  for (const std::string state : {"inactive", "held", "revoked"}) {
    const Bytes shown = in_state(state).to_der();
    const std::string code = "certificate." + state;
    for (const char* target : {"/api/v1/device/self", "/.well-known/jwks.json", "/.well-known/est/cacerts",
                               "/crl/endpoint-identity.crl", "/issuers/endpoint-identity.cer"}) {
      const auto refused = ask(net::Method::kGet, target, {}, shown);
      EXPECT_EQ(refused.status, 403) << state << " " << target;
      EXPECT_THAT(refused.body, HasSubstr(code)) << target;
    }
    // DPS asks for nothing of it: it would have gone on with a challenge.
    const auto refused = put_dps(shown);
    EXPECT_EQ(refused.status, 403) << state;
    EXPECT_THAT(refused.body, HasSubstr(code));
    EXPECT_EQ(put_dps({}).status, 400) << "without it, it is the body that is wrong";
  }
}

TEST_F(CertificateGateTest, PassesOverOneThatWaitsWhereItBecomesGood) {
  const Bytes waiting = in_state("inactive").to_der();
  for (const char* step :
       {"/certificates/nonce", "/certificates", "/attestation/key", "/attestation/nonce", "/attestation/evidence"}) {
    const auto passed = ask(net::Method::kPost, kBase + step, "{}", waiting);
    EXPECT_THAT(passed.body, testing::Not(HasSubstr("certificate.inactive"))) << step;
  }
  EXPECT_EQ(enroll("soft-1", waiting).status, 200);
  for (const std::string state : {"held", "revoked"}) {
    const Bytes shown = in_state(state).to_der();
    const std::string code = "certificate." + state;
    for (const char* step :
         {"/certificates/nonce", "/certificates", "/attestation/key", "/attestation/nonce", "/attestation/evidence"})
      EXPECT_EQ(test::member(ask(net::Method::kPost, kBase + step, "{}", shown), "code"), code) << step;
    EXPECT_EQ(enroll("soft-1", shown).status, 403);
    EXPECT_THAT(enroll("soft-1", shown).body, HasSubstr(code));
  }
}

TEST_F(CertificateGateTest, RefusesOneThatHasExpiredButWhereAnotherIsGiven) {
  const auto certificate = in_state("active");
  const Bytes shown = certificate.to_der();
  world.clock.set(certificate.not_after());
  look();
  EXPECT_THAT(put_dps(shown).body, HasSubstr("certificate.expired"));
  EXPECT_THAT(ask(net::Method::kPost, "/.well-known/est/simplereenroll", "", shown).body,
              HasSubstr("certificate.expired"));
  EXPECT_EQ(enroll("soft-1", shown).status, 200);
}

// Somebody else's certificate is judged by its route: also one that says what ours says.
TEST_F(CertificateGateTest, HasNothingToSayAboutOthers) {
  const auto revoked = in_state("revoked");
  const auto own = world.server.issuer.certificate().value();
  const auto issue = [&](const crypto::CertificateProfile& issuer_profile) {
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
    const auto issuer =
        crypto::issue_certificate(issuer_profile, key.public_key(), nullptr, crypto::Signer(key), world.entropy)
            .value();
    crypto::CertificateProfile profile{
        .common_name = "meter-1", .not_before = world.clock.now(), .not_after = world.clock.now() + hours(1)};
    profile.serial = crypto::SerialNumber::from_bytes(revoked.serial()).value();
    return crypto::issue_certificate(profile, key.public_key(), &issuer, crypto::Signer(key), world.entropy)
        .value()
        .to_der();
  };
  const crypto::CertificateProfile ours{.common_name = own.common_name(),
                                        .organization = own.organization(),
                                        .not_before = world.clock.now(),
                                        .not_after = world.clock.now() + hours(1),
                                        .is_ca = true};
  crypto::CertificateProfile another = ours;
  another.common_name = "Somebody";
  for (const Bytes& shown : {issue(ours), issue(another), Bytes(300, 0x30), Bytes{}}) {
    EXPECT_TRUE(world.server.certificate_gate.check(shown, false));
  }
  EXPECT_FALSE(world.server.certificate_gate.check(revoked.to_der(), false));
}

// A node that has just begun, or lost its database for a while, asks about each one.
TEST_F(CertificateGateTest, AsksTheDatabaseWhileItKnowsNothing) {
  const auto good = active();
  const auto bad = active();
  change(bad, "revoke");
  ASSERT_FALSE(world.server.standings.is_current());
  EXPECT_TRUE(world.server.certificate_gate.check(good.to_der(), false));
  const Status refused = world.server.certificate_gate.check(bad.to_der(), false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "certificate.revoked");
}

// What is resumed counts at once, though this node has not heard of it yet.
TEST_F(CertificateGateTest, BelievesTheDatabaseMoreThanItsMemory) {
  const auto certificate = in_state("held");
  change(certificate, "resume");
  EXPECT_TRUE(world.server.certificate_gate.check(certificate.to_der(), false));
}

TEST_F(CertificateGateTest, LooksForEveryOneWithoutAnIssuer) {
  const Bytes shown = in_state("revoked").to_der();
  world.server.certificate_gate.set_issuer(std::nullopt);
  EXPECT_FALSE(world.server.certificate_gate.check(shown, false));
}

}  // namespace
}  // namespace warifu::front::revocation

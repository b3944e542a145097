// The dialogue of docs/protocols/certificates.md, with a TPM and its keys in memory.
#include "front/device/certificate_api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/device/device_dialogue_fixture_test.h"
#include "tpm_types/templates.h"

namespace warifu::front::device {
namespace {

using attestation::SoftwareAk;
using attestation::Tier;
using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;
using test::member;
using testing::HasSubstr;

class CertificateApiTest : public AttestedDeviceDialogue {
 protected:
  // As the verifier leaves it.
  void attested(Tier tier = Tier::kAffirming, const std::string& id = "meter-1") {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY(const auto registration, RegistrationId::parse(id));
      TRY(const auto before, t.verifier().find_ledger(test::scope_id(), registration));
      const std::int64_t from = before ? before->revision : 0;
      verifier::Ledger ledger{.scope = test::scope_id(), .registration_id = registration};
      TRY(const auto bound, t.verifier().find_ak(test::scope_id(), registration));
      ledger.ak_name = bound->ak_name;
      ledger.revision = from + 1;
      ledger.overall = tier;
      ledger.result = "{}";
      ledger.attested_at = world_.clock.now();
      ledger.next_due_at = world_.clock.now() + minutes(1);
      TRY_STATUS(t.verifier().put_ledger(ledger, from));
      return t.audit().record(test::scope_id(), {"test", "attest", id});
    }));
  }
  std::string nonce(const std::string& token, const std::string& id = "meter-1") {
    world_.clock.advance(seconds(1));
    const auto told = ask("certificates/nonce", "{}", token, id);
    EXPECT_EQ(told.status, 200) << told.body;
    return member(told, "nonce");
  }
  static std::string body_of(const std::string& nonce, const attestation::KeyProof& proof,
                             const std::string& kind = "ldevid", const std::string& more = {}) {
    return fmt::format(R"({{"kind":"{}","nonce":"{}","public":"{}","attest":"{}","signature":"{}"{}}})", kind, nonce,
                       to_base64(proof.public_area), to_base64(proof.attest), to_base64(proof.signature), more);
  }
  static Bytes extra_data_of(const std::string& nonce) {
    return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {from_base64(nonce).value()}).bytes());
  }
  std::string proof_of(const std::string& nonce, const SoftwareAk& key, const std::string& more = {}) {
    return body_of(nonce,
                   attestation::prove(ak_, attestation::device_key_public(key), {.extra_data = extra_data_of(nonce)}),
                   "ldevid", more);
  }
  net::HttpResponse certified(const std::string& token, const SoftwareAk& key) {
    return ask("certificates", proof_of(nonce(token), key), token);
  }
  static std::string code(const net::HttpResponse& response) {
    return response.status < 300 ? "" : member(response, "code");
  }
  net::HttpResponse self(const Bytes& der) {
    net::HttpRequest request;
    request.method = net::Method::kGet;
    request.target = "/api/v1/device/self";
    if (!der.empty()) request.peer_chain = std::make_shared<const std::vector<Bytes>>(1, der);
    return world_.server.device_asks(std::move(request));
  }

  const SoftwareAk key_ = SoftwareAk::of(crypto::KeyKind::kEcP256);
};

TEST_F(CertificateApiTest, GivesAKeyOfItsTpmACertificateWhileItAttests) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  const auto answer = certified(token, key_);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(member(answer, "state"), "active");
  const auto der = from_base64(member(answer, "certificate")).value();
  const auto certificate = crypto::Certificate::from_der(der).value();
  EXPECT_EQ(certificate.common_name(), "meter-1");
  EXPECT_EQ(certificate.public_key().value(), key_.key.public_key());
  EXPECT_TRUE(certificate.issued_by(world_.server.issuer.certificate().value()));
  EXPECT_THAT(answer.body, HasSubstr(to_base64(world_.server.issuer.certificate()->to_der())));
  // It is good for what a certificate is for.
  const auto known = self(der);
  EXPECT_EQ(known.status, 200) << known.body;
  EXPECT_EQ(member(known, "registration_id"), "meter-1");
}

TEST_F(CertificateApiTest, ProvesAKeyWithoutACertificateWhenThatIsAsked) {
  const auto token = activated(world_.tpm_a, ak_);
  const auto answer = ask("certificates", proof_of(nonce(token), key_, R"(,"issue":false)"), token);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(member(answer, "key_sha256"), to_hex(device_ca::key_sha256_of(key_.key.public_key().spki())));
  EXPECT_EQ(world_.server.issuer.signatures, 0);
}

TEST_F(CertificateApiTest, RefusesADeviceThatDoesNotAttest) {
  const auto token = activated(world_.tpm_a, ak_);
  EXPECT_EQ(code(certified(token, key_)), "certificate.attestation-missing");
  attested(Tier::kContraindicated);
  const auto refused = certified(token, key_);
  EXPECT_EQ(code(refused), "certificate.attestation");
  EXPECT_EQ(refused.status, 403);
  attested();
  EXPECT_EQ(code(certified(token, key_)), "");
  // Renewal, too: late once is nothing, later is.
  const SoftwareAk next = SoftwareAk::of(crypto::KeyKind::kEcP256);
  world_.clock.advance(seconds(90));
  EXPECT_EQ(code(certified(token, next)), "");
  world_.clock.advance(minutes(2));
  EXPECT_EQ(code(certified(token, SoftwareAk::of(crypto::KeyKind::kEcP256))), "certificate.attestation-missing");
  world_.server.attempts.flush();
  world_.store->settle();
  EXPECT_THAT(alice_.get("/api/v1/registrations/meter-1/explanation").body, HasSubstr("certificate.attestation"));
}

TEST_F(CertificateApiTest, RefusesEveryProofThatIsNone) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  const auto fresh = nonce(token);
  const auto good = proof_of(fresh, key_);
  ASSERT_EQ(code(ask("certificates", good, token)), "");
  // The same again, and one with an older nonce.
  EXPECT_EQ(code(ask("certificates", good, token)), "certificate.proof-replayed");
  const auto older = nonce(token);
  ASSERT_EQ(code(certified(token, key_)), "");
  EXPECT_EQ(code(ask("certificates", proof_of(older, key_), token)), "certificate.proof-replayed");
  // A software key: nobody attests it but itself.
  const auto asked = nonce(token);
  EXPECT_EQ(code(ask("certificates",
                     body_of(asked, attestation::prove(key_, attestation::device_key_public(key_),
                                                       {.extra_data = extra_data_of(asked)})),
                     token)),
            "crypto.signature");
  // A key that could leave the TPM: fixedTPM is clear.
  EXPECT_EQ(
      code(ask("certificates",
               body_of(asked, attestation::prove(
                                  ak_, attestation::device_key_public(key_, attestation::kLdevidAttributes & ~0x2u),
                                  {.extra_data = extra_data_of(asked)})),
               token)),
      "key-proof.attributes");
  // Over another nonce than was sent.
  EXPECT_EQ(
      code(ask("certificates", body_of(asked, attestation::prove(ak_, attestation::device_key_public(key_))), token)),
      "key-proof.nonce");
  EXPECT_EQ(code(ask("certificates", body_of(to_base64(Bytes(48, 1)), {}), token)), "attestation.nonce");
  world_.clock.advance(minutes(3));
  EXPECT_EQ(code(ask("certificates", proof_of(asked, key_), token)), "attestation.nonce-expired");
}

TEST_F(CertificateApiTest, RefusesTheRightKeyInAnotherEnrolledTpm) {
  test::must(world_.server.enroll("meter-2", world_.tpm_b.ek()));
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  ASSERT_EQ(code(certified(token, key_)), "");
  const SoftwareAk ak_b = SoftwareAk::of(crypto::KeyKind::kEcP256);
  const auto token_b = activated(world_.tpm_b, ak_b, "meter-2");
  attested(Tier::kAffirming, "meter-2");
  // The token of one device opens nothing for another one.
  EXPECT_EQ(code(ask("certificates/nonce", "{}", token, "meter-2")), "attestation.token");
  // Another TPM cannot attest that key; were it to, the key is another device's.
  const auto told = nonce(token_b, "meter-2");
  const auto stolen = body_of(
      told, attestation::prove(ak_b, attestation::device_key_public(key_), {.extra_data = extra_data_of(told)}));
  EXPECT_EQ(code(ask("certificates", stolen, token_b, "meter-2")), "certificate.key-elsewhere");
  // A nonce of one device is none for another one.
  const auto of_a = nonce(token);
  EXPECT_EQ(code(ask("certificates",
                     body_of(of_a, attestation::prove(ak_b, attestation::device_key_public(key_),
                                                      {.extra_data = extra_data_of(of_a)})),
                     token_b, "meter-2")),
            "attestation.nonce");
}

TEST_F(CertificateApiTest, TakesAKeyAlongWhenItsDeviceGetsAnotherName) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  ASSERT_EQ(code(certified(token, key_)), "");
  test::must(world_.server.unenroll("meter-1"));
  test::must(world_.server.enroll("meter-9", world_.tpm_a.ek()));
  const auto renamed = activated(world_.tpm_a, ak_, "meter-9");
  attested(Tier::kAffirming, "meter-9");
  const auto answer = ask("certificates", proof_of(nonce(renamed, "meter-9"), key_), renamed, "meter-9");
  EXPECT_EQ(code(answer), "") << answer.body;
}

TEST_F(CertificateApiTest, TellsAnOperatorOfAKeyThatTwoDevicesProve) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  ASSERT_EQ(code(certified(token, key_)), "");
  test::must(world_.server.enroll("meter-2", world_.tpm_b.ek()));
  const auto other = activated(world_.tpm_b, ak_, "meter-2");
  attested(Tier::kAffirming, "meter-2");
  const auto answer = ask("certificates", proof_of(nonce(other, "meter-2"), key_), other, "meter-2");
  EXPECT_EQ(code(answer), "certificate.key-elsewhere");
  EXPECT_THAT(alice_.get("/api/v1/alerts").body, HasSubstr(R"("kind":"certificate.key-twice")"));
}

TEST_F(CertificateApiTest, FinishesWhatTheSignerDidNot) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  world_.server.issuer.is_away = true;
  const auto away = certified(token, key_);
  EXPECT_EQ(code(away), "signer.unreachable");
  EXPECT_EQ(away.status, 503);
  const auto listed = alice_.get("/api/v1/certificates?registration_id=meter-1");
  EXPECT_THAT(listed.body, HasSubstr(R"("state":"issuing")"));
  world_.server.issuer.is_away = false;
  const auto done = certified(token, key_);
  ASSERT_EQ(code(done), "");
  EXPECT_THAT(listed.body, HasSubstr(member(done, "serial")));
  const auto again = certified(token, key_);
  EXPECT_EQ(member(again, "serial"), member(done, "serial"));
  EXPECT_EQ(world_.server.issuer.signatures, 1);
}

TEST_F(CertificateApiTest, GivesACertificateForLifeToAnIdevidKeyOnly) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  const auto told = nonce(token);
  const auto other = attestation::prove(ak_, attestation::device_key_public(key_),
                                        {.type = 0x801a, .extra_data = extra_data_of(told)});
  const auto ask_for_life = [&](const attestation::KeyProof& proof, const Bytes& creation_data) {
    const std::string more = fmt::format(R"(,"creation_data":"{}")", to_base64(creation_data));
    return ask("certificates", body_of(told, proof, "idevid", creation_data.empty() ? "" : more), token);
  };
  EXPECT_EQ(code(ask_for_life(other, other.creation_data)), "key-proof.idevid");
  EXPECT_EQ(code(ask("certificates", body_of(told, other, "odd"), token)), "certificate.kind");
  // A key of the template.
  const Bytes area = attestation::made_from(tpm::idevid_template(tpm::IdentityAlgorithm::kEccP256));
  const auto proved = [&](std::uint16_t type, const Bytes& parent_name) {
    return attestation::prove(ak_, area,
                              {.type = type,
                               .extra_data = extra_data_of(told),
                               .creation_data = attestation::creation_data_under(parent_name)});
  };
  const Bytes endorsement = {0x40, 0, 0, 0x0b};
  const auto loaded = proved(0x8017, endorsement);
  EXPECT_EQ(code(ask_for_life(loaded, {})), "key-proof.idevid") << "TPM2_Certify";
  for (const Bytes& parent : {Bytes{0x40, 0, 0, 1}, Bytes(34, 0x0b)}) {
    const auto elsewhere = proved(0x801a, parent);
    EXPECT_EQ(code(ask_for_life(elsewhere, elsewhere.creation_data)), "key-proof.idevid") << to_hex(parent);
    EXPECT_EQ(code(ask_for_life(elsewhere, attestation::creation_data_under(endorsement))), "key-proof.creation");
  }
  EXPECT_EQ(world_.server.issuer.signatures, 0);
  const auto idevid = proved(0x801a, endorsement);
  const auto answer = ask_for_life(idevid, idevid.creation_data);
  ASSERT_EQ(code(answer), "") << answer.body;
  EXPECT_EQ(member(answer, "kind"), "idevid");
  EXPECT_THAT(member(answer, "not_after"), testing::StartsWith("9999-12-31"));
}

TEST_F(CertificateApiTest, BelievesACertificateNoLongerThanItsOperator) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  const auto answer = certified(token, key_);
  const auto der = from_base64(member(answer, "certificate")).value();
  const std::string path = "/api/v1/certificates/" + member(answer, "serial");
  EXPECT_EQ(code(self({})), "certificate.missing");
  EXPECT_EQ(code(self(world_.server.issuer.certificate()->to_der())), "certificate.unknown");
  EXPECT_EQ(alice_.post(path + "/suspend").status, 200);
  EXPECT_EQ(code(self(der)), "certificate.held");
  EXPECT_EQ(alice_.post(path + "/resume").status, 200);
  EXPECT_EQ(code(self(der)), "");
  // What the lifecycle says counts as well: the certificate is as good as its device.
  test::must(world_.server.unenroll("meter-1"));
  EXPECT_EQ(code(self(der)), "enrollment.unknown");
  // Made anew it is another enrollment.
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  EXPECT_EQ(code(self(der)), "certificate.revoked");
  EXPECT_EQ(alice_.post(path + "/revoke", R"({"reason":"keyCompromise"})").status, 200);
  EXPECT_EQ(code(self(der)), "certificate.revoked");
  EXPECT_EQ(code(alice_.post(path + "/resume")), "certificate.state");
}

TEST_F(CertificateApiTest, TellsOperatorsWhichThereAre) {
  const auto token = activated(world_.tpm_a, ak_);
  attested();
  const auto answer = certified(token, key_);
  const auto serial = member(answer, "serial");
  const auto shown = alice_.get("/api/v1/certificates/" + serial);
  EXPECT_EQ(member(shown, "protection"), "tpm");
  EXPECT_EQ(member(shown, "kind"), "ldevid");
  EXPECT_EQ(member(shown, "door"), "native");
  EXPECT_EQ(member(shown, "certificate"), member(answer, "certificate"));
  EXPECT_THAT(alice_.get("/api/v1/certificates?limit=1").body, HasSubstr(serial));
  const auto later = member(certified(token, SoftwareAk::of(crypto::KeyKind::kEcP256)), "serial");
  const std::string of_meter = "/api/v1/certificates?registration_id=meter-1&limit=1";
  const auto page = alice_.get(of_meter);
  EXPECT_THAT(page.body, HasSubstr(later)) << "the newest first";
  EXPECT_EQ(member(page, "next"), later);
  const auto last_page = alice_.get(of_meter + "&after=" + later);
  EXPECT_THAT(last_page.body, HasSubstr(serial));
  EXPECT_EQ(member(last_page, "next"), "null");
  EXPECT_EQ(code(alice_.get("/api/v1/certificates/4100")), "certificate.unknown");
  EXPECT_EQ(code(alice_.get("/api/v1/certificates/xyz")), "certificate.unknown");
  EXPECT_EQ(code(alice_.post("/api/v1/certificates/" + serial + "/revoke", R"({"reason":"tired"})")),
            "certificate.reason");
  const auto secret = alice_.post("/api/v1/registrations/meter-1/certificate-secret");
  EXPECT_EQ(secret.status, 201) << secret.body;
  EXPECT_EQ(member(secret, "secret").size(), 32U);
  EXPECT_THAT(world_.stored(), testing::Not(HasSubstr(member(secret, "secret"))));
  EXPECT_EQ(code(alice_.post("/api/v1/registrations/nobody/certificate-secret")), "enrollment.unknown");
}

}  // namespace
}  // namespace warifu::front::device

#include "front/est/est_api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attestation/quote/test_key_proof.h"
#include "crypto/certs_only.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::est {
namespace {

using attestation::Tier;
using test::member;
using testing::HasSubstr;
using testing::StartsWith;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

std::string header(const net::HttpResponse& response, std::string_view name) {
  return std::string(net::find_header(response.headers, name).value_or("absent"));
}

class EstApiTest : public testing::Test {
 protected:
  net::HttpResponse ask(net::Method method, const std::string& step, std::string body = {},
                        const std::string& credentials = {}, const Bytes& certificate = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = "/.well-known/est/" + step;
    if (!credentials.empty())
      request.headers.emplace_back("Authorization", "Basic " + to_base64(as_bytes(credentials)));
    if (!certificate.empty()) request.peer_chain = std::make_shared<const std::vector<Bytes>>(1, certificate);
    request.body = std::move(body);
    return world_.server.device_asks(std::move(request));
  }
  static std::string request_of(const crypto::PrivateKey& key, const std::string& name = "meter-1") {
    return to_base64(crypto::make_certificate_request({.common_name = name}, crypto::Signer(key)).value());
  }
  net::HttpResponse enroll(const crypto::PrivateKey& key, const std::string& credentials,
                           const std::string& name = "meter-1") {
    return ask(net::Method::kPost, "simpleenroll", request_of(key, name), credentials);
  }
  std::string secret(const std::string& id = "meter-1") {
    const auto made = alice_.post("/api/v1/registrations/" + id + "/certificate-secret");
    return member(made, "reference") + ":" + member(made, "secret");
  }
  void allow_software_keys() {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      provisioning::Terms terms;
      terms.allow_software_keys = true;
      TRY_STATUS(world_.server.enrollments.put(
          t.provisioning(), t.audit(), {test::scope_id(), "operator:test"},
          {RegistrationId::parse("meter-1").value(), provisioning::TpmRequest{world_.tpm_a.ek()}, {}, terms},
          {provisioning::Precondition::Existing::kPresent}));
      return {};
    }));
  }
  // A TPM that proved this key, and attests.
  void prove(const crypto::PrivateKey& key, Tier tier = Tier::kAffirming) {
    world_.clock.advance(std::chrono::seconds(1));
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      const auto meter = RegistrationId::parse("meter-1").value();
      const Bytes ek = to_bytes(world_.tpm_a.ek().name().bytes());
      TRY_STATUS(t.verifier().put_ak({test::scope_id(), meter, ek, Bytes(34, 1), Bytes(90, 2), world_.clock.now()}));
      TRY(const auto before, t.verifier().find_ledger(test::scope_id(), meter));
      const std::int64_t from = before ? before->revision : 0;
      verifier::Ledger ledger{.scope = test::scope_id(), .registration_id = meter};
      ledger.ak_name = Bytes(34, 1);
      ledger.revision = from + 1;
      ledger.overall = tier;
      ledger.result = "{}";
      ledger.attested_at = world_.clock.now();
      ledger.next_due_at = world_.clock.now() + std::chrono::minutes(1);
      TRY_STATUS(t.verifier().put_ledger(ledger, from));
      TRY(const auto enrollment, t.provisioning().find_enrollment(test::scope_id(), meter));
      return world_.server.device_ca.keep_proof(t.device_ca(), t.audit(),
                                                {.scope = test::scope_id(),
                                                 .registration = meter,
                                                 .ground = {enrollment->enrollment_id},
                                                 .public_key = key.public_key().spki(),
                                                 .ek_name = ek,
                                                 .ak_name = Bytes(34, 1),
                                                 .nonce_at = world_.clock.now()});
    }));
  }
  static std::vector<crypto::Certificate> chain_of(const net::HttpResponse& response) {
    std::string body = response.body;
    body.pop_back();  // the line feed
    EXPECT_EQ(body.find('\n'), std::string::npos) << "base64 on one line";
    return crypto::read_certs_only(from_base64(body).value()).value();
  }
  void activate(const crypto::Certificate& certificate) {
    const auto done = alice_.post("/api/v1/certificates/" + to_hex(certificate.serial()) + "/activate");
    EXPECT_EQ(done.status, 200) << done.body;
  }

  std::vector<provisioning::Alert> alerts_of(const std::string& id) {
    std::vector<provisioning::Alert> all;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(all, s.provisioning().list_alerts_of(test::scope_id(), RegistrationId::parse(id).value()));
      return {};
    }));
    return all;
  }

  World world_;
  test::Operator alice_{world_.server};
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
};

TEST_F(EstApiTest, ShowsItsAuthoritiesAndWhatARequestShouldHold) {
  const auto cas = ask(net::Method::kGet, "cacerts");
  EXPECT_EQ(cas.status, 200);
  EXPECT_EQ(cas.content_type, "application/pkcs7-mime");
  EXPECT_EQ(header(cas, "Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(chain_of(cas).front().to_der(), world_.server.issuer.certificate()->to_der());
  const auto attributes = ask(net::Method::kGet, "csrattrs");
  EXPECT_EQ(attributes.content_type, "application/csrattrs");
  // 1.2.840.10045.2.1 with P-256, and 1.2.840.10045.4.3.2.
  EXPECT_EQ(attributes.body, "MCMwFQYHKoZIzj0CATEKBggqhkjOPQMBBwYIKoZIzj0EAwI=\n");
}

TEST_F(EstApiTest, GivesAProvenKeyACertificateForASecret) {
  prove(key_);
  const auto answer = enroll(key_, secret());
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.content_type, "application/pkcs7-mime; smime-type=certs-only");
  const auto chain = chain_of(answer);
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].public_key().value(), key_.public_key());
  EXPECT_TRUE(chain[0].issued_by(chain[1]));
  EXPECT_EQ(member(alice_.get("/api/v1/certificates/" + to_hex(chain[0].serial())), "state"), "active");
}

TEST_F(EstApiTest, RefusesASoftwareKeyAndSaysWhy) {
  const auto refused = enroll(key_, secret());
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(refused.body, HasSubstr("[certificate.key-unproven]"));
  // Another key than the one that was proved is as good as none.
  prove(key_);
  EXPECT_THAT(enroll(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256), secret()).body,
              HasSubstr("[certificate.key-unproven]"));
}

TEST_F(EstApiTest, LetsASoftwareKeyWaitWhereTheEnrollmentAllowsIt) {
  allow_software_keys();
  const auto answer = enroll(key_, secret());
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto chain = chain_of(answer);
  const auto shown = alice_.get("/api/v1/certificates/" + to_hex(chain[0].serial()));
  EXPECT_EQ(member(shown, "state"), "inactive");
  EXPECT_EQ(member(shown, "protection"), "software");
  const auto again = [&] { return ask(net::Method::kPost, "simplereenroll", request_of(key_), {}, chain[0].to_der()); };
  EXPECT_THAT(again().body, HasSubstr("[certificate.inactive]"));
  activate(chain[0]);
  EXPECT_EQ(again().status, 200);
}

TEST_F(EstApiTest, ASecretIsForOneKey) {
  prove(key_);
  const auto shown = secret();
  const auto first = enroll(key_, shown);
  ASSERT_EQ(first.status, 200) << first.body;
  // The answer was lost.
  EXPECT_EQ(enroll(key_, shown).body, first.body);
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  prove(other);
  const auto refused = enroll(other, shown);
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("[certificate.secret]"));
  EXPECT_EQ(header(refused, "WWW-Authenticate"), "Basic realm=\"warifu\"");
  EXPECT_EQ(enroll(other, secret()).status, 200);
}

TEST_F(EstApiTest, ASecretThatBoughtNothingIsNotSpent) {
  const auto shown = secret();
  EXPECT_EQ(enroll(key_, shown).status, 403);
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  prove(other);
  EXPECT_EQ(enroll(other, shown).status, 200);
}

TEST_F(EstApiTest, RefusesWhoShowsNothingGood) {
  prove(key_);
  const auto shown = secret();
  const auto reference = shown.substr(0, shown.find(':'));
  EXPECT_EQ(enroll(key_, {}).status, 401);
  EXPECT_EQ(enroll(key_, reference + ":wrong").status, 401);
  EXPECT_EQ(enroll(key_, reference + ":").status, 401);
  EXPECT_EQ(enroll(key_, "nobody:" + shown.substr(shown.find(':') + 1)).status, 401);
  EXPECT_EQ(enroll(key_, "no colon").status, 400);
  EXPECT_EQ(ask(net::Method::kPost, "simplereenroll", request_of(key_), shown).status, 401);
  EXPECT_EQ(ask(net::Method::kPost, "simpleenroll", "!!", shown).status, 400);
  EXPECT_EQ(ask(net::Method::kPost, "simpleenroll", std::string(30'000, 'A'), shown).status, 413);
  EXPECT_THAT(enroll(key_, shown, "meter-2").body, HasSubstr("[certificate.common-name]"));
  EXPECT_EQ(enroll(key_, shown, "METER-1").status, 200);
}

TEST_F(EstApiTest, RenewsByTheCertificateThatIsRenewedWhileItsDeviceAttests) {
  prove(key_);
  const auto first = chain_of(enroll(key_, secret()));
  const auto next = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto again = [&](const crypto::PrivateKey& key) {
    return ask(net::Method::kPost, "simplereenroll", request_of(key), {}, first[0].to_der());
  };
  EXPECT_THAT(again(next).body, HasSubstr("[certificate.key-unproven]"));
  prove(next);
  const auto second = again(next);
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_NE(chain_of(second)[0].serial(), first[0].serial());
  // A first certificate is not had for one that is there.
  EXPECT_THAT(ask(net::Method::kPost, "simpleenroll", request_of(next), {}, first[0].to_der()).body,
              HasSubstr("[est.credential]"));
  const auto third = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  prove(third, Tier::kContraindicated);
  EXPECT_THAT(again(third).body, HasSubstr("[certificate.attestation]"));
  const auto suspended = alice_.post("/api/v1/certificates/" + to_hex(first[0].serial()) + "/suspend");
  EXPECT_EQ(suspended.status, 200);
  EXPECT_THAT(again(third).body, HasSubstr("[certificate.held]"));
}

TEST_F(EstApiTest, LetsADeviceComeAgainThatHasNotAttestedLately) {
  prove(key_);
  const auto shown = secret();
  world_.clock.advance(std::chrono::minutes(5));
  const auto pending = enroll(key_, shown);
  EXPECT_EQ(pending.status, 202) << pending.body;
  EXPECT_EQ(header(pending, "Retry-After"), "60");
  EXPECT_THAT(pending.body, HasSubstr("[certificate.attestation-missing]"));
  prove(key_);
  EXPECT_EQ(enroll(key_, shown).status, 200);
}

TEST_F(EstApiTest, TellsAnOperatorOfOneKeyUnderTwoRegistrations) {
  allow_software_keys();
  ASSERT_EQ(enroll(key_, secret()).status, 200);
  ASSERT_EQ(
      alice_.post("/api/v1/enrollments", test::key_enrollment("meter-2", R"(,"allow_software_keys":true)")).status,
      201);
  const auto shown = secret("meter-2");
  const auto twice = [&] { return enroll(key_, shown, "meter-2"); };
  EXPECT_EQ(twice().status, 403);
  EXPECT_THAT(twice().body, HasSubstr("[certificate.key-elsewhere]"));
  auto alerts = alerts_of("meter-2");
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].kind, "certificate.key-twice");
  EXPECT_EQ(alerts[0].subject, "meter-1");
  EXPECT_EQ(alerts[0].count, 1) << "who asks each second leaves no entry each second";
  world_.clock.advance(std::chrono::minutes(10));
  EXPECT_EQ(twice().status, 403);
  alerts = alerts_of("meter-2");
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].count, 2);
  EXPECT_THAT(world_.stored(), HasSubstr(R"({"code":"certificate.key-elsewhere","other":"meter-1"})"));
  // It bought nothing.
  EXPECT_EQ(enroll(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256), shown, "meter-2").status, 200);
  // Of a device that is gone it is nobody's: that one may have another name now.
  test::must(world_.server.unenroll("meter-1"));
  EXPECT_EQ(enroll(key_, secret("meter-2"), "meter-2").status, 200);
}

TEST_F(EstApiTest, GivesNothingForACertificateOfAnEnrollmentThatIsGone) {
  allow_software_keys();
  const auto first = chain_of(enroll(key_, secret()));
  activate(first[0]);
  const auto again = [&] {
    const auto next = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
    return ask(net::Method::kPost, "simplereenroll", request_of(next), {}, first[0].to_der());
  };
  EXPECT_EQ(again().status, 200);
  const auto old_secret = secret();
  test::must(world_.server.unenroll("meter-1"));
  EXPECT_THAT(again().body, HasSubstr("[enrollment.unknown]"));
  // The same name, and another enrollment.
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  allow_software_keys();
  EXPECT_THAT(again().body, HasSubstr("[certificate.revoked]"));
  EXPECT_THAT(enroll(key_, old_secret).body, HasSubstr("[certificate.secret]"));
  const auto anew = enroll(key_, secret());
  ASSERT_EQ(anew.status, 200) << anew.body;
  EXPECT_NE(chain_of(anew)[0].serial(), first[0].serial()) << "under which even the same key begins anew";
}

TEST_F(EstApiTest, BelievesACertificateOfAKeyInTheEnrolledTpmOnly) {
  const auto code_of = [&](const tpm::EkPublic& ek) {
    std::string code;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      const auto meter = RegistrationId::parse("meter-1").value();
      TRY(const auto enrollment, s.provisioning().find_enrollment(test::scope_id(), meter));
      device_ca::DeviceCertificate certificate{.scope = test::scope_id(),
                                               .serial = crypto::SerialNumber::random(world_.entropy),
                                               .registration_id = meter,
                                               .ground = {enrollment->enrollment_id}};
      certificate.ek_name = to_bytes(ek.name().bytes());
      const auto may = world_.server.applicants.may_use(s.provisioning(), certificate);
      code = may ? "" : may.error().code;
      return {};
    }));
    return code;
  };
  EXPECT_EQ(code_of(world_.tpm_a.ek()), "");
  EXPECT_EQ(code_of(world_.tpm_b.ek()), "certificate.key-elsewhere");
}

TEST_F(EstApiTest, AShorterIntervalHoldsForWhoAttestedBefore) {
  prove(key_);
  const auto shown = secret();
  world_.clock.advance(std::chrono::seconds(90));
  provisioning::Terms terms;
  terms.attestation_interval = std::chrono::seconds(30);
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.enrollments.put(
        t.provisioning(), t.audit(), {test::scope_id(), "operator:test"},
        {RegistrationId::parse("meter-1").value(), provisioning::TpmRequest{world_.tpm_a.ek()}, {}, terms},
        {provisioning::Precondition::Existing::kPresent}));
    return {};
  }));
  // By the minute that it was told it would not be too late yet.
  const auto late = enroll(key_, shown);
  EXPECT_EQ(late.status, 202) << late.body;
  EXPECT_THAT(late.body, HasSubstr("attestation.overdue"));
}

TEST_F(EstApiTest, MakesNoKeys) {
  const auto refused = ask(net::Method::kPost, "serverkeygen", request_of(key_), secret());
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("[est.serverkeygen]"));
}

}  // namespace
}  // namespace warifu::front::est

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ek_trust/test_maker.h"
#include "front/api/body_limits.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using ek_trust::test::Maker;
using test::member;
using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const std::string kRoots = "/api/v1/ek-roots";
const std::string kCrls = "/api/v1/ek-crls";

std::string fingerprint(const Bytes& der) {
  return endorsement::X509Certificate::parse(der).value().fingerprint_sha256();
}
std::string texts(std::string_view name, const std::vector<Bytes>& ders, const std::string& more = {}) {
  std::string list;
  for (const Bytes& der : ders)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", to_base64(der));
  return fmt::format(R"({{"{}":[{}]{}}})", name, list, more);
}
std::string certified(const tpm::EkPublic& ek, const Bytes& certificate) {
  return fmt::format(R"({{"endorsement_key":"{}","endorsement_certificate":"{}"}})", to_base64(ek.tpm2b()),
                     to_base64(certificate));
}
std::string enrollment(const std::string& id, const tpm::EkPublic& ek, const Bytes& certificate) {
  return fmt::format(R"({{"registration_id":"{}","attestation":{{"type":"tpm","tpm":{}}}}})", id,
                     certified(ek, certificate));
}

class EkTrustApiTest : public ::testing::Test {
 protected:
  net::HttpResponse import(const std::vector<Bytes>& ders, const std::string& more = {}) {
    return operator_.post(kRoots, texts("certificates", ders, more));
  }
  net::HttpResponse distrust(const Bytes& der, const std::string& body = R"({"reason":"leaked"})",
                             const std::string& query = "") {
    return operator_.post(fmt::format("{}/{}/distrust{}", kRoots, fingerprint(der), query), body);
  }
  std::string affected(const Bytes& der) {
    return operator_.get(fmt::format("{}/{}/devices", kRoots, fingerprint(der))).body;
  }
  // The code of a refusal, or what was answered.
  static std::string code(const net::HttpResponse& answer) {
    return answer.status < 300 ? fmt::format("{}", answer.status) : member(answer, "code");
  }

  World world_;
  const test::Operator operator_{world_.server};
  const Maker maker_{"Test"};
  const tpm::EkPublic& ek_ = world_.tpm_a.ek();
};

TEST_F(EkTrustApiTest, ADeviceShowsWhatItsCertificateIsWorth) {
  const auto written = operator_.put("/api/v1/enrollments/meter-1", enrollment("meter-1", ek_, maker_.certify(ek_)));
  EXPECT_EQ(written.status, 200) << written.body;
  EXPECT_EQ(member(written, "outcome"), "updated");
  EXPECT_THAT(member(written, "changes"), HasSubstr("endorsement_certificate"));
  EXPECT_EQ(member(written, "ek_certificate.verdict.code"), "endorsement.path.missing-ca");
  EXPECT_THAT(member(written, "ek_certificate.verdict.missing.name"), HasSubstr("Test CA"));
  ASSERT_EQ(import({maker_.root(), maker_.ca()}).status, 200);
  ASSERT_TRUE(world_.meter.provision()) << "whatever the certificate is worth";
  for (const std::string path : {"devices/meter-1", "enrollments/meter-1", "registrations/meter-1/explanation"}) {
    const auto shown = operator_.get("/api/v1/" + path);
    EXPECT_EQ(member(shown, "ek_certificate.verdict.verdict"), "trusted") << path << shown.body;
    EXPECT_EQ(member(shown, "ek_certificate.verdict.class"), "discrete") << path;
  }
  const auto name = ek_.name().text();
  EXPECT_EQ(member(operator_.get("/api/v1/ek-certificates/" + name), "verdict.vendor"), "IFX");
  EXPECT_EQ(code(operator_.get("/api/v1/ek-certificates/" + world_.tpm_b.ek().name().text())),
            "ek_certificate.unknown");
  ASSERT_EQ(distrust(maker_.ca()).status, 200);
  EXPECT_EQ(member(operator_.get("/api/v1/devices/meter-1"), "ek_certificate.verdict.code"),
            "endorsement.path.distrusted");

  // Without a certificate the one that is there stays.
  const auto again = operator_.put("/api/v1/enrollments/meter-1", test::tpm_enrollment("meter-1", ek_));
  EXPECT_EQ(member(again, "outcome"), "unchanged");
  EXPECT_NE(member(again, "ek_certificate"), "null");
  EXPECT_EQ(member(operator_.post("/api/v1/enrollments", test::key_enrollment("lamp-1")), "ek_certificate"), "null");
}

TEST_F(EkTrustApiTest, ACertificateOfAnotherKeyIsRefusedWithAllThatItCameWith) {
  const auto& other = world_.tpm_b.ek();
  const auto wrong = enrollment("meter-9", other, maker_.certify(ek_));
  const auto before = world_.stored();
  EXPECT_EQ(code(operator_.post("/api/v1/enrollments", wrong)), "ek_certificate.key");
  EXPECT_EQ(code(operator_.put("/api/v1/enrollments/meter-9", wrong)), "ek_certificate.key");
  const auto bulk =
      operator_.post("/api/v1/bulk/enrollments", fmt::format(R"({{"mode":"apply","enrollments":[{}]}})", wrong));
  EXPECT_EQ(bulk.status, 200);
  EXPECT_THAT(bulk.body, HasSubstr("ek_certificate.key"));
  for (const std::string text : {"", "x", "MAA=", "-----BEGIN CERTIFICATE-----"})
    EXPECT_EQ(
        operator_
            .post("/api/v1/enrollments",
                  fmt::format(R"({{"registration_id":"m","attestation":{{"type":"tpm","tpm":{{"endorsement_key":"{}",)"
                              R"("endorsement_certificate":"{}"}}}}}})",
                              to_base64(other.tpm2b()), text))
            .status,
        400)
        << text;
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(operator_.post("/api/v1/enrollments", enrollment("meter-9", other, maker_.certify(other))).status, 201);
}

TEST_F(EkTrustApiTest, EksOfAGroupBringTheirCertificates) {
  const auto& ek = world_.tpm_b.ek();
  ASSERT_EQ(operator_.post("/api/v1/enrollment-groups", test::tpm_group("plant", "*")).status, 201);
  const auto add = [&](const std::string& item) {
    return operator_.post("/api/v1/enrollment-groups/plant/eks", fmt::format(R"({{"eks":[{}]}})", item));
  };
  EXPECT_EQ(code(add(certified(ek, maker_.certify(ek_)))), "ek_certificate.key");
  EXPECT_EQ(code(add(R"({"endorsement_key":"AAAA","more":1})")), "json.unknown-field");
  EXPECT_EQ(code(add("7")), "json.type");
  const Bytes certificate = maker_.certify(ek);
  for (const std::string outcome : {"added", "unchanged"})
    EXPECT_THAT(add(certified(ek, certificate)).body, HasSubstr(fmt::format(R"("outcome":"{}")", outcome)));
  EXPECT_THAT(add(certified(ek, maker_.certify(ek, 8))).body, HasSubstr(R"("outcome":"updated")"));
  ASSERT_EQ(import({maker_.root(), maker_.ca()}).status, 200);
  const auto listed = affected(maker_.root());
  EXPECT_THAT(listed, HasSubstr(ek.name().text()));
  EXPECT_THAT(listed, HasSubstr(R"("group_id":"plant")"));
}

TEST_F(EkTrustApiTest, AnImportNamesWhatItTookAndForWhomItSpeaks) {
  const Maker nobody("Some", "Nobody in particular");
  const auto imported = import({maker_.root(), maker_.ca(), nobody.root()});
  ASSERT_EQ(imported.status, 200) << imported.body;
  EXPECT_THAT(imported.body, HasSubstr(R"("speaks_for":[{"vendor":"IFX","name":"Infineon","class":"discrete"}])"));
  EXPECT_THAT(imported.body, HasSubstr(R"("outcome":"added")"));
  const auto root = operator_.get(kRoots + "/" + fingerprint(nobody.root()));
  EXPECT_EQ(member(root, "role"), "root");
  EXPECT_EQ(member(root, "speaks_for"), "[]");
  EXPECT_EQ(member(root, "certificate"), to_base64(nobody.root()));
  EXPECT_EQ(member(operator_.get(kRoots + "/" + fingerprint(maker_.ca())), "role"), "intermediate");
  EXPECT_EQ(import({nobody.root()}, R"(,"vendors":["IFX","id:00001014"])").status, 200);
  EXPECT_THAT(member(operator_.get(kRoots + "/" + fingerprint(nobody.root())), "speaks_for"),
              HasSubstr(R"("vendor":"id:00001014")"));
  const auto page = operator_.get(kRoots + "?limit=2");
  EXPECT_NE(member(page, "next"), "null");
  const auto last = operator_.get(kRoots + "?limit=2&after=" + member(page, "next"));
  EXPECT_EQ(member(last, "next"), "null");
  EXPECT_NE(member(last, "items"), "[]");

  const auto before = world_.stored();
  EXPECT_EQ(operator_.post(kRoots + "?dry_run=true", texts("certificates", {Maker("Dry").root()})).status, 200);
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(EkTrustApiTest, WhatIsNoAuthorityIsRefused) {
  const auto before = world_.stored();
  const std::string pem = "-----BEGIN CERTIFICATE-----\\n";
  const std::pair<std::string, std::string> rows[] = {
      {"", "json.syntax"},
      {"{}", "json.missing"},
      {R"({"certificates":[]})", "ek_root.count"},
      {R"({"certificates":[7]})", "json.type"},
      {R"({"certificates":["!"]})", "text.base64"},
      {R"({"certificates":["MAA="]})", "endorsement.root.certificate"},
      {R"({"certificates":[")" + pem + R"("]})", "endorsement.pem"},
      {texts("certificates", {maker_.certify(ek_)}), "endorsement.root.authority"},
      {texts("certificates", {maker_.root()}, R"(,"role":"king")"), "ek_root.role"},
      {texts("certificates", {maker_.root()}, R"(,"vendors":["nobody at all"])"), "ek_root.vendors"},
      {texts("certificates", {maker_.ca()}, R"(,"vendors":["IFX"])"), "ek_root.vendors"},
      {texts("certificates", {maker_.root()}, R"(,"trust":true)"), "json.unknown-field"},
      {texts("certificates", std::vector(101, maker_.root())), "ek_root.count"},
      {R"({"certificates":[")" + std::string(kBulkBodySizeMax, 'A') + R"("]})", "http.body_too_large"},
      // A certificate that says that it is longer than it is.
      {texts("certificates", {[&] {
               Bytes lying = maker_.root();
               lying[2] = 0x7F;
               return lying;
             }()}),
       "endorsement.root.certificate"},
  };
  for (const auto& [body, expected] : rows)
    EXPECT_EQ(code(operator_.post(kRoots, body)), expected) << body.substr(0, 120);
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(import({maker_.root()}).status, 200);
}

TEST_F(EkTrustApiTest, DistrustListsWhomItAffectsBeforeAndAfter) {
  ASSERT_EQ(import({maker_.root(), maker_.ca()}).status, 200);
  ASSERT_EQ(operator_.put("/api/v1/enrollments/meter-1", enrollment("meter-1", ek_, maker_.certify(ek_))).status, 200);
  ASSERT_TRUE(world_.meter.provision());
  const auto before = world_.stored();
  const auto rehearsed =
      distrust(maker_.root(), R"({"reason":"leaked","since":"2020-01-01T00:00:00Z"})", "?dry_run=true");
  EXPECT_EQ(member(rehearsed, "distrust.since"), "2020-01-01T00:00:00.000000Z") << rehearsed.body;
  EXPECT_EQ(world_.stored(), before);
  EXPECT_THAT(affected(maker_.root()), HasSubstr(R"("enrollments":["meter-1"])"));
  EXPECT_THAT(affected(maker_.root()), HasSubstr(R"("devices":["meter-1"])"));
  EXPECT_THAT(affected(maker_.root()), HasSubstr(R"("verdict":"trusted")"));

  EXPECT_EQ(distrust(maker_.root()).status, 200);
  EXPECT_THAT(affected(maker_.root()), HasSubstr("endorsement.path.distrusted"));
  EXPECT_THAT(world_.stored(), HasSubstr("ek-root.distrust"));
  EXPECT_TRUE(world_.meter.provision()) << "nobody is thrown out by it";
  const auto back = operator_.post(fmt::format("{}/{}/trust", kRoots, fingerprint(maker_.root())));
  EXPECT_EQ(member(back, "distrust"), "null") << back.body;
  EXPECT_THAT(affected(maker_.root()), HasSubstr(R"("verdict":"trusted")"));

  EXPECT_EQ(code(operator_.get(kRoots + "/" + fingerprint(maker_.root()) + "/devices?limit=0")), "request.limit");
  EXPECT_EQ(code(operator_.get(kRoots + "/" + fingerprint(maker_.root()) + "/devices?after=x")), "request.after");
  EXPECT_EQ(code(distrust(maker_.certify(ek_))), "ek_root.unknown");
  EXPECT_EQ(code(operator_.get(kRoots + "/nonsense")), "ek_root.fingerprint");
  EXPECT_EQ(code(distrust(maker_.root(), R"({})")), "json.missing");
  EXPECT_EQ(code(distrust(maker_.root(), R"({"reason":""})")), "ek_root.reason");
  EXPECT_EQ(code(distrust(maker_.root(), R"({"reason":"a","since":"yesterday"})")), "endorsement.time");
}

TEST_F(EkTrustApiTest, WhoHasAnEkNoMoreIsNotAffected) {
  ASSERT_EQ(import({maker_.root(), maker_.ca()}).status, 200);
  ASSERT_EQ(operator_.post("/api/v1/enrollments", enrollment("spare-1", ek_, maker_.certify(ek_))).status, 201);
  EXPECT_THAT(affected(maker_.root()), HasSubstr("spare-1"));
  for (const std::string id : {"spare-1", "meter-1"})
    ASSERT_EQ(operator_.remove("/api/v1/enrollments/" + id).status, 204) << "nobody came with it yet";
  EXPECT_EQ(affected(maker_.root()), R"({"items":[],"next":null})");
  EXPECT_EQ(code(operator_.get("/api/v1/ek-certificates/" + ek_.name().text())), "200") << "the certificate stays";
}

TEST_F(EkTrustApiTest, ADryRunChangesNothing) {
  ASSERT_EQ(import({maker_.root(), maker_.ca()}).status, 200);
  ASSERT_EQ(distrust(maker_.root()).status, 200);
  const std::string trust = fmt::format("{}/{}/trust", kRoots, fingerprint(maker_.root()));
  const std::string crls = texts("crls", {maker_.crl(7)});
  const auto before = world_.stored();
  EXPECT_EQ(member(operator_.post(trust + "?dry_run=true"), "distrust"), "null");
  EXPECT_THAT(operator_.post(kCrls + "?dry_run=true", crls).body, HasSubstr(R"("outcome":"added")"));
  EXPECT_EQ(code(operator_.post(trust + "?dry_run=yes")), "request.dry_run");
  EXPECT_EQ(code(operator_.post(kCrls + "?dry_run=yes", crls)), "request.dry_run");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(operator_.post(trust + "?dry_run=false").status, 200);
  EXPECT_EQ(operator_.post(kCrls, crls).status, 200);
  EXPECT_NE(world_.stored(), before);
}

TEST_F(EkTrustApiTest, AnotherCertificateIsAnotherRevision) {
  const Bytes first = maker_.certify(ek_, 1);
  const Bytes second = maker_.certify(ek_, 2);
  const auto put = [&](const Bytes& certificate) {
    return operator_.put("/api/v1/enrollments/meter-1", enrollment("meter-1", ek_, certificate));
  };
  const auto etag = [&] { return member(operator_.get("/api/v1/enrollments/meter-1"), "etag"); };
  const auto none = etag();
  EXPECT_THAT(member(put(first), "changes"), HasSubstr(R"("from":"","to":")" + fingerprint(first)));
  const auto of_first = etag();
  EXPECT_NE(of_first, none);
  const auto changed = put(second);
  EXPECT_THAT(member(changed, "changes"),
              HasSubstr(fmt::format(R"("from":"{}","to":"{}")", fingerprint(first), fingerprint(second))));
  EXPECT_EQ(member(changed, "ek_certificate.fingerprint_sha256"), fingerprint(second));
  EXPECT_EQ(member(changed, "etag"), etag());
  EXPECT_NE(etag(), of_first);
  const auto of_second = etag();
  EXPECT_EQ(member(put(second), "outcome"), "unchanged");
  EXPECT_EQ(etag(), of_second);
}

TEST_F(EkTrustApiTest, CrlsOfImportedAuthoritiesAreTaken) {
  const auto post = [&](const Bytes& crl) { return operator_.post(kCrls, texts("crls", {crl})); };
  EXPECT_EQ(code(post(maker_.crl(7))), "ek_crl.issuer");
  ASSERT_EQ(import({maker_.root(), maker_.ca()}).status, 200);
  ASSERT_EQ(operator_.put("/api/v1/enrollments/meter-1", enrollment("meter-1", ek_, maker_.certify(ek_, 7))).status,
            200);
  const auto imported = post(maker_.crl(7));
  EXPECT_EQ(imported.status, 200) << imported.body;
  EXPECT_THAT(imported.body, HasSubstr(R"("outcome":"added")"));
  EXPECT_EQ(member(operator_.get("/api/v1/enrollments/meter-1"), "ek_certificate.verdict.code"),
            "endorsement.path.revoked");
  EXPECT_THAT(operator_.get(kCrls).body, HasSubstr(R"("entries":1)"));
  EXPECT_EQ(code(post(maker_.root())), "wire.der");
  EXPECT_EQ(code(operator_.post(kCrls, R"({"crls":[]})")), "ek_crl.count");
  EXPECT_EQ(code(operator_.post(kCrls, texts("crls", std::vector(11, maker_.crl(7))))), "ek_crl.count");
  const auto second = operator_.post(kCrls, texts("crls", {maker_.crl(7), Maker("Test").crl(7)}));
  EXPECT_EQ(code(second), "ek_crl.issuer");
  EXPECT_THAT(second.body, HasSubstr("crls.1"));
}

}  // namespace
}  // namespace warifu::front::api

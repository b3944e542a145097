#include "front/dps_service/enrollment_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dps_service/terms_json.h"
#include "front/dps_service/test_service.h"
#include "sim/deterministic.h"

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using provisioning::Allocation;
using provisioning::Reprovision;
using test::enrollment;
using test::group;
using test::kSymmetric;

std::string refusal_of(std::string_view body, std::string* where = nullptr) {
  const auto parsed = parse_individual_enrollment(body);
  if (parsed) return "taken";
  EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalidInput) << body;
  if (where != nullptr) *where = parsed.error().where;
  return std::string(parsed.error().code);
}

provisioning::Terms terms_of(std::string_view more) {
  return parse_individual_enrollment(enrollment("pump-7", kSymmetric, more)).value().terms;
}

TEST(EnrollmentJson, ReadsThePoliciesOfAzure) {
  const auto reprovision = [](std::string_view policy) {
    return terms_of(fmt::format(R"(,"reprovisionPolicy":{})", policy)).reprovision;
  };
  EXPECT_EQ(reprovision(R"({"updateHubAssignment":true,"migrateDeviceData":true})"), Reprovision::kMigrate);
  EXPECT_EQ(reprovision(R"({"updateHubAssignment":true,"migrateDeviceData":false})"), Reprovision::kReset);
  EXPECT_EQ(reprovision(R"({"updateHubAssignment":false,"migrateDeviceData":true})"), Reprovision::kNever);
  EXPECT_EQ(reprovision(R"({"updateHubAssignment":false,"migrateDeviceData":false})"), Reprovision::kNever);
  EXPECT_EQ(reprovision(R"({"updateHubAssignment":true})"), Reprovision::kReset);
  EXPECT_EQ(reprovision("null"), std::nullopt);
  const auto allocation = [](std::string_view name) {
    return terms_of(fmt::format(R"(,"allocationPolicy":"{}")", name)).allocation;
  };
  EXPECT_EQ(allocation("hashed"), Allocation::kHashed);
  EXPECT_EQ(allocation("geoLatency"), Allocation::kGeoLatency);
  EXPECT_EQ(allocation("static"), Allocation::kStatic);
  const auto custom = terms_of(
      R"(,"allocationPolicy":"custom","customAllocationDefinition":{"webhookUrl":"https://a.example","apiVersion":"1"})");
  EXPECT_EQ(custom.allocation, Allocation::kCustom);
  EXPECT_EQ(custom.custom_allocation, R"({"webhookUrl":"https://a.example","apiVersion":"1"})");
}

TEST(EnrollmentJson, ReadsTheHubsInBothForms) {
  EXPECT_THAT(terms_of(R"(,"iotHubHostName":"a.example")").hubs, ::testing::ElementsAre("a.example"));
  EXPECT_THAT(terms_of(R"(,"iotHubs":["a.example","b.example"])").hubs,
              ::testing::ElementsAre("a.example", "b.example"));
  EXPECT_THAT(terms_of(R"(,"iotHubs":["a.example"],"iotHubHostName":"a.example")").hubs,
              ::testing::ElementsAre("a.example"));
  EXPECT_THAT(terms_of(R"(,"iotHubs":[],"iotHubHostName":"")").hubs, ::testing::IsEmpty());
  EXPECT_EQ(refusal_of(enrollment("a", kSymmetric, R"(,"iotHubs":["a.example"],"iotHubHostName":"b.example")")),
            "enrollment.hubs");
}

TEST(EnrollmentJson, TermsComeBackAsTheyWere) {
  for (
      const std::string_view more :
      {R"()", R"(,"provisioningStatus":"disabled")", R"(,"iotHubHostName":"a.example","allocationPolicy":"static")",
       R"(,"iotHubs":["a.example","b.example"],"allocationPolicy":"geoLatency")",
       R"(,"reprovisionPolicy":{"updateHubAssignment":false})", R"(,"capabilities":{"iotEdge":true})",
       R"(,"initialTwin":{"tags":{"a":null},"properties":{"desired":{"b":1.5}}},"optionalDeviceInformation":{"c":"d"})"}) {
    const auto terms = terms_of(more);
    json::object object;
    add_terms(object, terms);
    const auto again = parse_terms(wire::JsonFields(object));
    ASSERT_TRUE(again) << more;
    EXPECT_EQ(*again, terms) << more;
  }
}

TEST(EnrollmentJson, LeavesAloneWhatNewerSdksSend) {
  EXPECT_EQ(
      refusal_of(enrollment("a", R"({"type":"symmetricKey","tpm":null,"x509":null,"new":1})",
                            R"(,"clientCertificateIssuancePolicy":{"x":1},"registrationState":{"status":"assigned"},)"
                            R"("createdDateTimeUtc":"x","iotHubHostName":null,"deviceId":null)")),
      "taken");
}

TEST(EnrollmentJson, RefusesWhatItCannotDo) {
  const auto x509 = [](std::string_view inside) {
    return enrollment("a", fmt::format(R"({{"type":"x509","x509":{}}})", inside));
  };
  const struct {
    std::string body;
    std::string_view code, where;
  } rows[] = {
      {"", "json.syntax", ""},
      {"[]", "json.type", ""},
      {"{}", "json.missing", "registrationId"},
      {R"({"registrationId":"a"})", "json.missing", "attestation"},
      {enrollment("a/b", kSymmetric), "id.registration", "registrationId"},
      {enrollment("a", "{}"), "json.missing", "attestation.type"},
      {enrollment("a", R"({"type":"none"})"), "enrollment.attestation", "attestation.type"},
      {enrollment("a", R"({"type":1})"), "json.type", "attestation.type"},
      {enrollment("a", R"({"type":"tpm"})"), "json.missing", "attestation.tpm"},
      {enrollment("a", R"({"type":"tpm","tpm":{"endorsementKey":"?"}})"), "", "attestation.tpm.endorsementKey"},
      {enrollment("a", R"({"type":"symmetricKey","symmetricKey":{"primaryKey":"?"}})"), "",
       "attestation.symmetricKey.primaryKey"},
      {enrollment("a", R"({"type":"symmetricKey","symmetricKey":[]})"), "json.type", "attestation.symmetricKey"},
      {x509("{}"), "json.missing", "attestation.x509.clientCertificates"},
      {x509(R"({"caReferences":{"primary":"my-ca"}})"), "enrollment.ca_references", "attestation.x509.caReferences"},
      {x509(R"({"signingCertificates":{"primary":{"certificate":"AAAA"}}})"), "enrollment.certificate",
       "attestation.x509.signingCertificates"},
      {x509(R"({"clientCertificates":{}})"), "json.missing", "attestation.x509.clientCertificates.primary"},
      {x509(R"({"clientCertificates":{"primary":{}}})"), "enrollment.certificate",
       "attestation.x509.clientCertificates.primary.certificate"},
      {x509(R"({"clientCertificates":{"primary":{"certificate":"AAAA"}}})"), "enrollment.certificate",
       "attestation.x509.clientCertificates.primary.certificate"},
      {x509(R"({"clientCertificates":{"primary":{"info":{"sha256Thumbprint":"AA"}}}})"), "enrollment.certificate",
       "attestation.x509.clientCertificates.primary.info.sha256Thumbprint"},
      {enrollment("a", kSymmetric, R"(,"deviceId":"no id")"), "id.device", "deviceId"},
      {enrollment("a", kSymmetric, R"(,"provisioningStatus":"on")"), "enrollment.status", "provisioningStatus"},
      {enrollment("a", kSymmetric, R"(,"allocationPolicy":"random")"), "enrollment.allocation", "allocationPolicy"},
      {enrollment("a", kSymmetric, R"(,"allocationPolicy":"custom")"), "enrollment.custom_allocation", ""},
      {enrollment("a", kSymmetric, R"(,"iotHubs":"a.example")"), "json.type", "iotHubs"},
      {enrollment("a", kSymmetric, R"(,"iotHubs":[1])"), "json.type", "iotHubs"},
      {enrollment("a", kSymmetric, R"(,"iotHubs":["a b"])"), "enrollment.hub", ""},
      {enrollment("a", kSymmetric, R"(,"reprovisionPolicy":true)"), "json.type", "reprovisionPolicy"},
      {enrollment("a", kSymmetric, R"(,"reprovisionPolicy":{"updateHubAssignment":"yes"})"), "json.type",
       "reprovisionPolicy.updateHubAssignment"},
      {enrollment("a", kSymmetric, R"(,"initialTwin":[])"), "json.type", "initialTwin"},
      {enrollment("a", kSymmetric, R"(,"capabilities":{"iotEdge":1})"), "json.type", "capabilities.iotEdge"},
      {enrollment("a", kSymmetric, fmt::format(R"(,"initialTwin":{{"a":"{}"}})", std::string(9'000, 'x'))),
       "enrollment.too_large", ""},
      {enrollment("a", kSymmetric, fmt::format(R"(,"x":"{}")", std::string(70'000, 'x'))), "json.too-large", ""},
      {enrollment("a", kSymmetric, R"(,"registrationId":"b")"), "json.duplicate-key", ""},
  };
  for (const auto& row : rows) {
    std::string where;
    const std::string code = refusal_of(row.body, &where);
    const auto shown = row.body.substr(0, 200);
    EXPECT_NE(code, "taken") << shown;
    EXPECT_TRUE(row.code.empty() || code == row.code) << code << " of " << shown;
    EXPECT_TRUE(where.starts_with(row.where)) << where << " of " << shown;
  }
}

TEST(EnrollmentJson, RefusesEveryTruncation) {
  const std::string good = enrollment("pump-7", kSymmetric, R"(,"iotHubs":["a.example"],"etag":"\"x\"")");
  ASSERT_EQ(refusal_of(good), "taken");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(refusal_of(good.substr(0, size)), "json.syntax") << size;
}

TEST(EnrollmentJson, AnAuthorityIsNoDevicesCertificateAndTheOtherWayRound) {
  sim::SeededEntropy entropy(1);
  const auto individual =
      test::certificate_attestation("signingCertificates", test::make_certificate(entropy, "a", true));
  EXPECT_EQ(refusal_of(enrollment("a", individual)), "enrollment.certificate");
  const auto grouped = test::certificate_attestation("clientCertificates", test::make_certificate(entropy, "a", false));
  EXPECT_EQ(parse_enrollment_group(group("a", grouped)).error().code, "enrollment.certificate");
}

}  // namespace
}  // namespace warifu::front::dps_service

#include "front/dps_service/service_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dps_service/test_service.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using test::enrollment;
using test::group;
using test::kSymmetric;
using test::member;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class ServiceApiTest : public test::BasicServiceTest<World> {};

constexpr std::string_view kAllTerms =
    R"(,"deviceId":"pump-7","provisioningStatus":"disabled","allocationPolicy":"hashed",)"
    R"("iotHubs":["a.example","b.example"],"reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":false},)"
    R"("capabilities":{"iotEdge":true},"initialTwin":{"tags":{"site":"9"},"properties":{"desired":{"rate":5}}},)"
    R"("optionalDeviceInformation":{"note":"third floor"},"someNewMember":{"a":[1,2]})";

TEST_F(ServiceApiTest, KeepsAnEnrollmentOfEachKind) {
  const std::string rows[] = {
      test::tpm_attestation(world_.tpm_b.ek()), std::string(kSymmetric),
      test::certificate_attestation("clientCertificates", test::make_certificate(world_.entropy, "pump-7", false))};
  for (const auto& attestation : rows) {
    const auto created = service_.put("/enrollments/pump-7", enrollment("Pump-7", attestation, kAllTerms));
    ASSERT_EQ(created.status, 200) << created.body;
    EXPECT_EQ(member(created, "registrationId"), "pump-7");
    EXPECT_EQ(member(created, "provisioningStatus"), "disabled");
    EXPECT_EQ(member(created, "iotHubs"), R"(["a.example","b.example"])");
    EXPECT_EQ(member(created, "reprovisionPolicy"), R"({"updateHubAssignment":true,"migrateDeviceData":false})");
    EXPECT_EQ(member(created, "initialTwin.properties.desired.rate"), "5");
    EXPECT_EQ(json::parse(service_.get("/ENROLLMENTS/PUMP-7").body), json::parse(created.body));
    expect_round_trip("/enrollments/pump-7");
    EXPECT_EQ(service_.remove("/enrollments/pump-7", member(created, "etag")).status, 204);
    expect_error(service_.get("/enrollments/pump-7"), 404201, "enrollment.unknown");
  }
}

TEST_F(ServiceApiTest, KeepsAGroupOfEachKindThatAzureHas) {
  const std::string rows[] = {
      std::string(kSymmetric),
      test::certificate_attestation("signingCertificates", test::make_certificate(world_.entropy, "Plant CA", true))};
  for (const auto& attestation : rows) {
    const auto created = service_.put("/enrollmentGroups/pumps", group("pumps", attestation, kAllTerms));
    ASSERT_EQ(created.status, 200) << created.body;
    EXPECT_EQ(member(created, "deviceId"), "absent");
    expect_round_trip("/enrollmentgroups/pumps");
    EXPECT_EQ(service_.remove("/enrollmentGroups/pumps").status, 204);
    expect_error(service_.get("/enrollmentGroups/pumps"), 404201, "group.unknown");
  }
}

TEST_F(ServiceApiTest, ShowsATpmGroupAndChangesItButMakesNone) {
  expect_error(service_.put("/enrollmentGroups/fleet", group("fleet", R"({"type":"tpm"})")), 400004,
               "enrollment.attestation");
  provisioning::Terms terms;
  terms.approve_srk_changes = true;
  terms.required_attestation = provisioning::RequiredAttestation::kWarning;
  terms.attestation_interval = std::chrono::seconds(300);
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(
        world_.server.groups.put(t.provisioning(), t.audit(), {test::scope_id(), "test"},
                                 {GroupId::parse("fleet").value(),
                                  provisioning::EkListRequest{provisioning::RegistrationNaming::ek_hash()}, terms},
                                 {}));
    return {};
  }));
  expect_round_trip("/enrollmentGroups/fleet");
  const auto changed = service_.put("/enrollmentGroups/fleet",
                                    group("fleet", R"({"type":"tpm"})", R"(,"provisioningStatus":"disabled")"), "*");
  EXPECT_EQ(member(changed, "provisioningStatus"), "disabled") << changed.body;
  test::must(world_.store->read([](store::Snapshot& snapshot) -> Status {
    TRY(const auto stored, snapshot.provisioning().find_group(test::scope_id(), GroupId::parse("fleet").value()));
    EXPECT_FALSE(stored->terms.enabled);
    EXPECT_TRUE(stored->terms.approve_srk_changes) << "Azure has no word for it: it must stay";
    EXPECT_EQ(stored->terms.required_attestation, provisioning::RequiredAttestation::kWarning);
    EXPECT_EQ(stored->terms.attestation_interval, std::chrono::seconds(300));
    return {};
  }));
}

TEST_F(ServiceApiTest, GoesByTheEtag) {
  const std::string path = "/enrollments/pump-7";
  const std::string body = enrollment("pump-7", kSymmetric);
  const std::string other = enrollment("pump-7", kSymmetric, R"(,"provisioningStatus":"disabled")");
  expect_error(service_.put(path, body, "*"), 404201, "enrollment.unknown");
  const auto created = service_.put(path, body);
  const std::string etag = member(created, "etag");
  EXPECT_THAT(etag, ::testing::MatchesRegex("\"[0-9a-f-]{36}\""));
  const std::string before = world_.stored();
  expect_error(service_.put(path, other), 409201, "enrollment.exists");
  for (const std::string stale : {"\"01a2b3c4-0000-7000-8000-000000000000\"", "\"AAAAAAAAAAE=\"", "x"}) {
    EXPECT_EQ(service_.put(path, other, stale).status, 412) << stale;
    EXPECT_EQ(service_.remove(path, stale).status, 412) << stale;
  }
  EXPECT_EQ(world_.stored(), before);
  const auto changed = service_.put(path, other, etag);
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_NE(member(changed, "etag"), etag);
  expect_error(service_.put(path, body, etag), 412001, "enrollment.revision");
  expect_error(service_.remove(path, etag), 412001, "enrollment.revision");
  EXPECT_EQ(service_.put(path, body, "*").status, 200);
  EXPECT_EQ(service_.remove(path, "*").status, 204);
}

TEST_F(ServiceApiTest, ShowsKeysByTheirOwnRouteOnlyAndRecordsIt) {
  const auto created = service_.put("/enrollments/pump-7", enrollment("pump-7", kSymmetric));
  ASSERT_EQ(service_.put("/enrollmentGroups/pumps", group("pumps", kSymmetric)).status, 200);
  for (const std::string path : {"/enrollments/pump-7", "/enrollmentgroups/pumps"}) {
    const auto keys = service_.post(path + "/attestationmechanism");
    ASSERT_EQ(keys.status, 200) << keys.body;
    const std::string primary = member(keys, "symmetricKey.primaryKey");
    EXPECT_EQ(from_base64(primary)->size(), 32u);
    EXPECT_NE(member(keys, "symmetricKey.secondaryKey"), primary);
    const auto shown = service_.get(path);
    EXPECT_THAT(shown.body, Not(HasSubstr(primary)));
    EXPECT_EQ(member(shown, "attestation"), kSymmetric);
    // An update without keys keeps them.
    ASSERT_EQ(service_.put(path, shown.body, "*").status, 200);
    EXPECT_EQ(service_.post(path + "/attestationmechanism").body, keys.body);
  }
  EXPECT_THAT(created.body, Not(HasSubstr("primaryKey")));
  EXPECT_THAT(world_.stored(), HasSubstr("service-key:ci enrollment-keys.read enrollment:pump-7"));
  EXPECT_THAT(world_.stored(), HasSubstr("service-key:ci enrollment-keys.read enrollment-group:pumps"));
  // Of a TPM there is nothing secret.
  EXPECT_EQ(member(service_.post("/enrollments/meter-1/attestationmechanism"), "tpm.endorsementKey"),
            to_base64(world_.tpm_a.ek().tpm2b()));
}

TEST_F(ServiceApiTest, TakesTheKeysThatItIsGiven) {
  const std::string primary = to_base64(Bytes(32, 1));
  const std::string attestation =
      fmt::format(R"({{"type":"symmetricKey","symmetricKey":{{"primaryKey":"{}","secondaryKey":"{}"}}}})", primary,
                  to_base64(Bytes(64, 2)));
  ASSERT_EQ(service_.put("/enrollments/pump-7", enrollment("pump-7", attestation)).status, 200);
  EXPECT_EQ(member(service_.post("/enrollments/pump-7/attestationmechanism"), "symmetricKey.primaryKey"), primary);
  expect_error(service_.put("/enrollments/pump-8",
                            enrollment("pump-8", R"({"type":"symmetricKey","symmetricKey":{"primaryKey":"AAAA"}})")),
               400004, "enrollment.key_size");
}

TEST_F(ServiceApiTest, KeepsACertificateThatIsNamedByItsThumbprint) {
  const Bytes first = test::make_certificate(world_.entropy, "pump-7", false);
  const Bytes second = test::make_certificate(world_.entropy, "pump-7", false);
  const std::string both = fmt::format(
      R"({{"type":"x509","x509":{{"clientCertificates":{{"primary":{{"certificate":"{}"}},"secondary":{{"certificate":"{}"}}}}}}}})",
      to_base64(first), to_base64(second));
  const auto created = service_.put("/enrollments/pump-7", enrollment("pump-7", both));
  ASSERT_EQ(created.status, 200) << created.body;
  EXPECT_THAT(created.body, Not(HasSubstr("\"certificate\"")));
  const std::string path = "attestation.x509.clientCertificates.";
  const std::string thumbprint = member(created, path + "secondary.info.sha256Thumbprint");
  EXPECT_EQ(member(created, path + "primary.info.subjectName"), "CN=pump-7");
  // The second takes the place of the first.
  const auto named = [](std::string_view sha256) {
    return enrollment("pump-7", fmt::format(R"({{"type":"x509","x509":{{"clientCertificates":{{"primary":{{"info":)"
                                            R"({{"sha256Thumbprint":"{}"}}}}}}}}}})",
                                            sha256));
  };
  const auto turned = service_.put("/enrollments/pump-7", named(thumbprint), "*");
  EXPECT_EQ(member(turned, path + "primary.info.sha256Thumbprint"), thumbprint) << turned.body;
  EXPECT_EQ(member(turned, path + "secondary"), "absent");
  expect_error(service_.put("/enrollments/pump-7", named(std::string(64, 'A')), "*"), 400004, "enrollment.certificate");
}

TEST_F(ServiceApiTest, KeepsWhatAzureHasNoWordFor) {
  provisioning::Terms terms;
  terms.approve_srk_changes = true;
  terms.allow_software_keys = true;
  terms.required_attestation = provisioning::RequiredAttestation::kAffirming;
  terms.attestation_interval = std::chrono::seconds(600);
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.enrollments.put(
        t.provisioning(), t.audit(), {test::scope_id(), "test"},
        {RegistrationId::parse("meter-1").value(), provisioning::TpmRequest{world_.tpm_a.ek()}, {}, terms},
        {provisioning::Precondition::Existing::kPresent}));
    return {};
  }));
  const auto changed = service_.put(
      "/enrollments/meter-1",
      enrollment("meter-1", test::tpm_attestation(world_.tpm_a.ek()), R"(,"iotHubHostName":"a.example")"), "*");
  EXPECT_EQ(member(changed, "iotHubs"), R"(["a.example"])") << changed.body;
  test::must(world_.store->read([](store::Snapshot& snapshot) -> Status {
    TRY(const auto stored,
        snapshot.provisioning().find_enrollment(test::scope_id(), RegistrationId::parse("meter-1").value()));
    EXPECT_TRUE(stored->terms.approve_srk_changes);
    EXPECT_TRUE(stored->terms.allow_software_keys);
    EXPECT_EQ(stored->terms.required_attestation, provisioning::RequiredAttestation::kAffirming);
    EXPECT_EQ(stored->terms.attestation_interval, std::chrono::seconds(600));
    return {};
  }));
  // What cannot attest cannot take its place unseen either.
  expect_error(service_.put("/enrollments/meter-1", enrollment("meter-1", kSymmetric), "*"), 400004,
               "enrollment.required_attestation");
}

TEST_F(ServiceApiTest, LeavesTheAuthoritiesOfATpmGroupAsTheyAre) {
  const provisioning::EkAuthorityRequest by{
      provisioning::RegistrationNaming::parse("pump-*").value(), {Bytes(32, 1), Bytes(32, 2)}, true};
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.groups.put(t.provisioning(), t.audit(), {test::scope_id(), "test"},
                                        {GroupId::parse("plant").value(), by, {}}, {}));
    return {};
  }));
  const auto shown = service_.get("/enrollmentGroups/plant");
  EXPECT_EQ(member(shown, "attestation"), R"({"type":"tpm"})") << shown.body;
  const auto changed =
      service_.put("/enrollmentGroups/plant",
                   R"({"enrollmentGroupId":"plant","attestation":{"type":"tpm"},"iotHubHostName":"a.example"})", "*");
  EXPECT_EQ(member(changed, "iotHubs"), R"(["a.example"])") << changed.body;
  test::must(world_.store->read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto stored, snapshot.provisioning().find_group(test::scope_id(), GroupId::parse("plant").value()));
    const auto& kept = std::get<provisioning::EkAuthorityAttestation>(stored->attestation);
    EXPECT_EQ(kept.naming, by.naming);
    EXPECT_EQ(kept.authorities, by.authorities);
    EXPECT_TRUE(kept.approve_uncertified);
    return {};
  }));
}

TEST_F(ServiceApiTest, DemandsThePermissionOfEachRoute) {
  const auto reader = client("reader", operators::Permissions::parse({"enrollment:read"}).value());
  ASSERT_EQ(service_.put("/enrollments/pump-7", enrollment("pump-7", kSymmetric)).status, 200);
  const std::string before = world_.stored();
  EXPECT_EQ(reader.get("/enrollments/pump-7").status, 200);
  EXPECT_EQ(reader.post("/enrollments/query", R"({"query":"*"})").status, 200);
  expect_error(reader.put("/enrollments/pump-7", enrollment("pump-7", kSymmetric), "*"), 403000, "permission.missing");
  expect_error(reader.remove("/enrollments/pump-7"), 403000, "permission.missing");
  expect_error(reader.post("/enrollments/", R"({"mode":"delete","enrollments":[{"registrationId":"pump-7"}]})"), 403000,
               "permission.missing");
  expect_error(reader.post("/enrollments/pump-7/attestationmechanism"), 403000, "permission.missing");
  expect_error(reader.get("/registrations/pump-7"), 403000, "permission.missing");
  expect_error(reader.remove("/registrations/pump-7"), 403000, "permission.missing");
  expect_error(reader.put("/enrollmentGroups/pumps", group("pumps", kSymmetric)), 403000, "permission.missing");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(ServiceApiTest, WordsItsErrorsForTheSdks) {
  const auto ask = [&](std::string_view target, net::Headers headers) {
    net::HttpRequest request;
    request.target = target;
    request.method = net::Method::kGet;
    request.headers = std::move(headers);
    return world_.server.operator_asks(std::move(request));
  };
  const net::Headers known = {{"Host", "dps.example"}, {"Authorization", service_.authorization()}};
  const auto nobody = ask("/enrollments/meter-1?api-version=1", {});
  expect_error(nobody, 401002, "credential.missing");
  EXPECT_THAT(std::string(net::find_header(nobody.headers, "WWW-Authenticate").value_or("")),
              HasSubstr("SharedAccessSignature"));
  expect_error(ask("/enrollments/meter-1", known), 400004, "request.api_version");
  expect_error(ask("/Registrations/?api-version=1", known), 404201, "device.unknown");
  expect_error(ask("/enrollments/a/b/c?api-version=1", known), 404201, "http.route");
  const net::Headers forged = {{"Host", "dps.example"}, {"Authorization", service_.authorization("other.example")}};
  expect_error(ask("/enrollments/meter-1?api-version=1", forged), 401002, "token.resource");
  const net::Headers bearer = {
      {"Authorization", "Bearer " + world_.server.access_token(operators::Permissions::all()).value()}};
  EXPECT_EQ(ask("/enrollments/meter-1?api-version=1", bearer).status, 200);
  // The native API keeps its own words, and takes the key too.
  EXPECT_EQ(ask("/api/v1/enrollments/x", known).content_type, "application/problem+json");
  EXPECT_EQ(ask("/api/v1/enrollments/meter-1", known).status, 200);
}

TEST_F(ServiceApiTest, RefusesAKeyThatWasDeleted) {
  ASSERT_EQ(service_.get("/enrollments/meter-1").status, 200);
  net::HttpRequest request;
  request.method = net::Method::kDelete;
  request.target = "/api/v1/service-keys/ci";
  request.headers = {{"Authorization", "Bearer " + world_.server.access_token(operators::Permissions::all()).value()}};
  EXPECT_EQ(world_.server.operator_asks(request).status, 204);
  expect_error(service_.get("/enrollments/meter-1"), 401002, "credential.unknown");
  EXPECT_EQ(world_.server.operator_asks(request).status, 404);
}

}  // namespace
}  // namespace warifu::front::dps_service

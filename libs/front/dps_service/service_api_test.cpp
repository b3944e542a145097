#include "front/dps_service/service_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dps_service/test_service.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;
using test::enrollment;
using test::group;
using test::kSymmetric;
using test::member;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class ServiceApiTest : public ::testing::Test {
 protected:
  test::ServiceClient client(const std::string& name, std::optional<operators::Permissions> permissions = {}) {
    return test::make_client(world_.server, *world_.store, world_.clock, test::scope_id(), name, permissions);
  }
  // Azure's error object, with this status.
  static void expect_error(const net::HttpResponse& answer, int code, std::string_view info) {
    EXPECT_EQ(answer.status, code / 1000) << info << answer.body;
    EXPECT_EQ(member(answer, "errorCode"), std::to_string(code)) << info;
    EXPECT_EQ(member(answer, "info.code"), info) << answer.body;
    EXPECT_TRUE(Uuid::parse(member(answer, "trackingId"))) << info;
    EXPECT_EQ(net::find_header(answer.headers, "x-ms-request-id"), member(answer, "trackingId"));
  }
  // Reads it, writes back what was read, and reads the same again.
  void expect_round_trip(const std::string& path) {
    const auto read = service_.get(path);
    ASSERT_EQ(read.status, 200) << path << read.body;
    const std::string before = world_.stored();
    const auto written = service_.put(path, read.body, member(read, "etag"));
    EXPECT_EQ(written.status, 200) << path << written.body;
    EXPECT_EQ(json::parse(written.body), json::parse(read.body)) << path;
    EXPECT_EQ(world_.stored(), before) << "writing back what was read is no change";
  }

  World world_;
  test::ServiceClient service_ = client("ci");
};

constexpr std::string_view kAllTerms =
    R"(,"deviceId":"pump-7","provisioningStatus":"disabled","allocationPolicy":"hashed",)"
    R"("iotHubs":["a.example","b.example"],"reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":false},)"
    R"("capabilities":{"iotEdge":true},"initialTwin":{"tags":{"site":"9"},"properties":{"desired":{"rate":5}}},)"
    R"("optionalDeviceInformation":{"note":"third floor"},"someNewMember":{"a":[1,2]})";

TEST_F(ServiceApiTest, KeepsAnEnrollmentOfEachKind) {
  const std::string rows[] = {test::tpm_attestation(world_.tpm_b.ek()), std::string(kSymmetric),
                              test::certificate_attestation(
                                  "clientCertificates", test::make_certificate(world_.entropy, "pump-7", false))};
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
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.groups.put(
        t.provisioning(), t.audit(), {test::scope_id(), "test"},
        {GroupId::parse("fleet").value(),
         provisioning::EkListRequest{provisioning::RegistrationNaming::ek_hash()}, terms},
        {}));
    return {};
  }));
  expect_round_trip("/enrollmentGroups/fleet");
  const auto changed =
      service_.put("/enrollmentGroups/fleet", group("fleet", R"({"type":"tpm"})", R"(,"provisioningStatus":"disabled")"),
                   "*");
  EXPECT_EQ(member(changed, "provisioningStatus"), "disabled") << changed.body;
  test::must(world_.store->read([](store::Snapshot& snapshot) -> Status {
    TRY(const auto stored, snapshot.provisioning().find_group(test::scope_id(), GroupId::parse("fleet").value()));
    EXPECT_FALSE(stored->terms.enabled);
    EXPECT_TRUE(stored->terms.approve_srk_changes) << "Azure has no word for it: it must stay";
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
    return {};
  }));
}

TEST_F(ServiceApiTest, AnswersQueriesInPages) {
  for (int i = 10; i < 34; ++i)
    ASSERT_EQ(service_.put(fmt::format("/enrollments/pump-{}", i), enrollment(fmt::format("pump-{}", i), kSymmetric))
                  .status,
              200);
  std::vector<std::string> seen;
  net::Headers headers = {{"x-ms-max-item-count", "10"}};
  for (int pages = 1;; ++pages) {
    const auto page = service_.post("/enrollments/query", R"({"query":"SELECT * FROM enrollments"})", headers);
    ASSERT_EQ(page.status, 200) << page.body;
    EXPECT_EQ(net::find_header(page.headers, "x-ms-item-type"), "enrollment");
    const auto items = json::parse(page.body).as_array();
    for (const auto& item : items)
      seen.emplace_back(item.at("registrationId").as_string());
    const auto next = net::find_header(page.headers, "x-ms-continuation");
    EXPECT_EQ(items.size(), next ? 10u : 5u);
    if (!next) {
      EXPECT_EQ(pages, 3);
      break;
    }
    headers = {{"x-ms-max-item-count", "10"}, {"x-ms-continuation", std::string(*next)}};
  }
  EXPECT_EQ(seen.size(), 25u);  // and meter-1
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
  // A page that is full to the last has no next one.
  const auto all = service_.post("/enrollments/query", R"({"query":"*"})", {{"x-ms-max-item-count", "25"}});
  EXPECT_EQ(json::parse(all.body).as_array().size(), 25u);
  EXPECT_FALSE(net::find_header(all.headers, "x-ms-continuation"));
}

TEST_F(ServiceApiTest, RefusesQueriesThatItDoesNotServe) {
  const struct {
    std::string_view body;
    net::Headers headers;
    std::string_view code;
  } rows[] = {
      {R"({"query":"SELECT * FROM enrollments WHERE deviceId = 'a'"})", {}, "query.form"},
      {R"({"query":"SELECT * FROM registrations"})", {}, "query.form"},
      {R"({"query":""})", {}, "query.form"},
      {R"({"query":1})", {}, "json.type"},
      {R"({})", {}, "json.missing"},
      {R"({"query":"*"})", {{"x-ms-max-item-count", "0"}}, "query.page_size"},
      {R"({"query":"*"})", {{"x-ms-max-item-count", "-1"}}, "query.page_size"},
      {R"({"query":"*"})", {{"x-ms-max-item-count", "1x"}}, "query.page_size"},
      {R"({"query":"*"})", {{"x-ms-max-item-count", "99999999999999999999"}}, "query.page_size"},
      {R"({"query":"*"})", {{"x-ms-continuation", "no ID/"}}, "query.continuation"},
  };
  for (const auto& row : rows)
    expect_error(service_.post("/enrollments/query", std::string(row.body), row.headers), 400004, row.code);
  EXPECT_EQ(service_.post("/enrollments/query", "{\"query\":\" select  *\\n from ENROLLMENTS \"}",
                          {{"x-ms-max-item-count", "100000"}})
                .status,
            200);
}

TEST_F(ServiceApiTest, WritesManyAtOnceAndTellsWhichItRefused) {
  const auto bulk = [&](std::string_view mode, const std::vector<std::string>& items) {
    return service_.post("/enrollments/",
                         fmt::format(R"({{"mode":"{}","enrollments":[{}]}})", mode, fmt::join(items, ",")));
  };
  const std::string one = enrollment("pump-1", kSymmetric);
  const std::string two = enrollment("pump-2", kSymmetric);
  const auto created = bulk("create", {one, two});
  EXPECT_EQ(created.body, R"({"isSuccessful":true,"errors":[]})");
  const auto again = bulk("create", {enrollment("pump-3", kSymmetric), one, enrollment("no/id", kSymmetric), "7"});
  EXPECT_EQ(again.status, 200);
  const auto errors = json::parse(again.body).at("errors").as_array();
  EXPECT_EQ(member(again, "isSuccessful"), "false");
  ASSERT_EQ(errors.size(), 3u) << again.body;
  EXPECT_EQ(errors[0].at("registrationId").as_string(), "pump-1");
  EXPECT_EQ(errors[0].at("errorCode").as_int64(), 409201);
  EXPECT_EQ(errors[1].at("errorCode").as_int64(), 400004);
  EXPECT_EQ(errors[2].at("registrationId").as_string(), "");
  EXPECT_EQ(service_.get("/enrollments/pump-3").status, 200) << "what was right was written";

  const auto disabled = [](std::string_view etag) {
    return enrollment("pump-1", kSymmetric,
                      fmt::format(R"(,"provisioningStatus":"disabled","etag":{})", json::serialize(json::string(etag))));
  };
  const std::string etag = member(service_.get("/enrollments/pump-1"), "etag");
  EXPECT_EQ(member(bulk("updateIfMatchEtag", {disabled("\"01a2b3c4-0000-7000-8000-000000000000\"")}), "isSuccessful"),
            "false");
  EXPECT_EQ(member(bulk("updateIfMatchEtag", {one}), "isSuccessful"), "false") << "without an etag";
  EXPECT_EQ(member(service_.get("/enrollments/pump-1"), "provisioningStatus"), "enabled");
  EXPECT_EQ(member(bulk("updateIfMatchEtag", {disabled(etag)}), "isSuccessful"), "true");
  EXPECT_EQ(member(service_.get("/enrollments/pump-1"), "provisioningStatus"), "disabled");
  EXPECT_EQ(member(bulk("update", {one}), "isSuccessful"), "true");
  EXPECT_EQ(member(bulk("update", {enrollment("pump-9", kSymmetric)}), "isSuccessful"), "false");
  EXPECT_EQ(member(bulk("delete", {one, two}), "isSuccessful"), "true");
  EXPECT_EQ(service_.get("/enrollments/pump-1").status, 404);
  expect_error(bulk("upsert", {one}), 400004, "bulk.mode");
  expect_error(bulk("create", {}), 400004, "bulk.size");
  expect_error(bulk("delete", std::vector<std::string>(1001, "1")), 400004, "bulk.size");
  EXPECT_EQ(service_.post("/enrollments", R"({"mode":"delete","enrollments":[{"registrationId":"pump-3"}]})").body,
            R"({"isSuccessful":true,"errors":[]})");
}

TEST_F(ServiceApiTest, TellsWhatBecameOfADeviceAndMakesItRegisterAnew) {
  expect_error(service_.get("/registrations/meter-1"), 404201, "device.unknown");
  ASSERT_TRUE(world_.meter.provision());
  const auto state = service_.get("/registrations/Meter-1");
  ASSERT_EQ(state.status, 200) << state.body;
  EXPECT_EQ(member(state, "status"), "assigned");
  EXPECT_EQ(member(state, "assignedHub"), "hub.example");
  EXPECT_EQ(member(service_.get("/enrollments/meter-1"), "registrationState"), state.body);
  const auto key = world_.stored_hub_key("meter-1");
  EXPECT_THAT(state.body, Not(HasSubstr(to_base64(key.reveal()))));
  expect_round_trip("/enrollments/meter-1");

  const std::string etag = member(state, "etag");
  EXPECT_EQ(service_.remove("/registrations/meter-1", "\"01a2b3c4-0000-7000-8000-000000000000\"").status, 412);
  EXPECT_EQ(service_.remove("/registrations/meter-1", etag).status, 204);
  EXPECT_THAT(world_.stored(), HasSubstr("service-key:ci device.deregister device:meter-1"));
  expect_error(service_.get("/registrations/meter-1"), 404201, "device.unknown");
  expect_error(service_.remove("/registrations/meter-1"), 404201, "device.unknown");
  EXPECT_EQ(member(service_.get("/enrollments/meter-1"), "registrationState"), "absent");
  const auto revealed = world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.device_desk.reveal_hub_keys(t.provisioning(), t.audit(), {test::scope_id(), "test"},
                                                         DeviceId::parse("meter-1").value()));
    return {};
  });
  ASSERT_FALSE(revealed);
  EXPECT_EQ(revealed.error().code, "device.credentials_revoked");

  // The enrollment stands: it comes again, and gets another key.
  const auto fresh = world_.meter.provision();
  ASSERT_TRUE(fresh);
  EXPECT_FALSE(equal_constant_time(fresh->reveal(), key.reveal()));
  EXPECT_EQ(service_.get("/registrations/meter-1").status, 200);
}

TEST_F(ServiceApiTest, EndsTheOperationOfADeviceThatIsDeregistered) {
  const auto challenge = world_.meter.get_challenge();
  ASSERT_TRUE(challenge);
  const std::string token = world_.meter.sign(*challenge);
  const auto accepted = world_.meter.ask(world_.meter.register_request(token));
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  ASSERT_EQ(service_.remove("/registrations/meter-1").status, 204);
  const auto poll = world_.meter.ask(world_.meter.poll_request(member(accepted, "operationId"), token));
  EXPECT_NE(poll.status, 200) << poll.body;
  EXPECT_EQ(member(poll, "registrationState.tpm.authenticationKey"), "absent");
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
  request.headers = {
      {"Authorization", "Bearer " + world_.server.access_token(operators::Permissions::all()).value()}};
  EXPECT_EQ(world_.server.operator_asks(request).status, 204);
  expect_error(service_.get("/enrollments/meter-1"), 401002, "credential.unknown");
  EXPECT_EQ(world_.server.operator_asks(request).status, 404);
}

}  // namespace
}  // namespace warifu::front::dps_service

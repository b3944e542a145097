#include "front/api/operator_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include "front/dps_service/service_errors.h"

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using operators::Permission;
using operators::Permissions;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

class OperatorApiTest : public ::testing::Test {
 protected:
  net::HttpRequest request(net::Method method, std::string target, std::string body = {}) const {
    auto request = World::TestDevice::request(method, std::move(target), "", std::move(body));
    request.headers.emplace_back("Authorization", "Bearer " + token_);
    return request;
  }
  net::HttpResponse ask(net::Method method, std::string target, std::string body = {}) {
    return world_.server.operator_asks(request(method, std::move(target), std::move(body)));
  }
  std::string enrollment(const std::string& id, const tpm::EkPublic& ek) const {
    return fmt::format(R"({{"registration_id":"{}","attestation":{{"type":"tpm","tpm":{{"endorsement_key":"{}"}}}}}})",
                       id, to_base64(ek.tpm2b()));
  }
  void expect_refused(const net::HttpResponse& answer, int status, std::string_view code, std::string_view what) {
    EXPECT_EQ(answer.status, status) << what << answer.body;
    EXPECT_EQ(answer.content_type, "application/problem+json") << what;
    EXPECT_EQ(member(answer, "status"), std::to_string(status)) << what;
    EXPECT_EQ(member(answer, "code"), code) << what;
    EXPECT_FALSE(member(answer, "title").empty()) << what;
    EXPECT_TRUE(Uuid::parse(member(answer, "tracking_id"))) << what;
  }

  World world_;
  std::string token_ = world_.server.access_token(Permissions::all()).value();
};

TEST_F(OperatorApiTest, LogsInOnceWithABootstrapToken) {
  const auto bootstrap = world_.server.bootstrap_token().value();
  const auto body = fmt::format(
      R"({{"bootstrap_token":"{}","name":"bob","permissions":["device:read"],"lifetime_seconds":60}})", bootstrap);
  const auto login = World::TestDevice::request(net::Method::kPost, "/api/v1/login", "", body);
  const auto answer = world_.server.operator_asks(login);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(member(answer, "name"), "bob");
  EXPECT_EQ(member(answer, "permissions"), R"(["device:read"])");
  EXPECT_EQ(member(answer, "id_scope"), test::kScope);
  token_ = member(answer, "access_token");
  EXPECT_EQ(ask(net::Method::kGet, "/api/v1/devices").status, 200);
  expect_refused(ask(net::Method::kGet, "/api/v1/enrollments"), 403, "permission.missing", "not asked for");
  expect_refused(world_.server.operator_asks(login), 401, "bootstrap.used", "again");
}

TEST_F(OperatorApiTest, TellsTheIdScopeOfTheToken) {
  EXPECT_EQ(member(ask(net::Method::kGet, "/api/v1/id-scope"), "id_scope"), test::kScope);
}

TEST_F(OperatorApiTest, EnrollsADeviceThatThenProvisionsItself) {
  const auto device = world_.device(world_.tpm_b, "meter-2");
  EXPECT_FALSE(device.provision());
  const auto created = ask(net::Method::kPost, "/api/v1/enrollments", enrollment("Meter-2", world_.tpm_b.ek()));
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(member(created, "registration_id"), "meter-2");
  EXPECT_EQ(member(created, "same_ek_as"), "[]");
  EXPECT_EQ(net::find_header(created.headers, "Location"), "/api/v1/enrollments/meter-2");
  EXPECT_EQ(member(ask(net::Method::kGet, "/api/v1/enrollments/meter-2"), "attestation.tpm.endorsement_key"),
            to_base64(world_.tpm_b.ek().tpm2b()));

  const auto hub_key = device.provision();
  ASSERT_TRUE(hub_key);
  const auto shown = ask(net::Method::kGet, "/api/v1/devices/meter-2");
  EXPECT_EQ(member(shown, "state"), "provisioned");
  EXPECT_EQ(member(shown, "hold"), "none");
  EXPECT_THAT(shown.body, Not(HasSubstr(to_base64(hub_key->reveal()))));
  EXPECT_EQ(member(ask(net::Method::kGet, "/api/v1/devices/meter-2/hub-key"), "primary_key"),
            to_base64(hub_key->reveal()));
  EXPECT_THAT(world_.stored(), ::testing::ContainsRegex("operator:alice/[0-9a-f-]+ hub-key.read device:meter-2"));
  // RFC 9110 §9.2.1: HEAD is safe, and this GET is not.
  const std::string before = world_.stored();
  EXPECT_EQ(ask(net::Method::kHead, "/api/v1/devices/meter-2/hub-key").status, 405);
  EXPECT_EQ(ask(net::Method::kHead, "/api/v1/devices/meter-2").status, 200);
  EXPECT_EQ(world_.stored(), before);

  EXPECT_EQ(ask(net::Method::kDelete, "/api/v1/enrollments/meter-2").status, 204);
  EXPECT_FALSE(device.provision());
}

TEST_F(OperatorApiTest, NamesTheEnrollmentsOfTheSameTpm) {
  const auto created = ask(net::Method::kPost, "/api/v1/enrollments", enrollment("meter-2", world_.tpm_a.ek()));
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(member(created, "same_ek_as"), R"(["meter-1"])");
}

TEST_F(OperatorApiTest, DoesNotEnrollADisposedDeviceAgain) {
  ASSERT_TRUE(world_.meter.provision());
  world_.put_standing({lifecycle::State::kDisposed, lifecycle::Hold::kNone});
  ASSERT_EQ(ask(net::Method::kDelete, "/api/v1/enrollments/meter-1").status, 204);
  expect_refused(ask(net::Method::kPost, "/api/v1/enrollments", enrollment("meter-1", world_.tpm_a.ek())), 403,
                 "device.state", "");
}

TEST_F(OperatorApiTest, GivesAServiceKeyOnce) {
  const auto created = ask(net::Method::kPost, "/api/v1/service-keys", R"({"name":"ci"})");
  EXPECT_EQ(created.status, 201);
  EXPECT_THAT(member(created, "connection_string"),
              ::testing::StartsWith("HostName=warifu.example;SharedAccessKeyName=ci;SharedAccessKey="));
  expect_refused(ask(net::Method::kPost, "/api/v1/service-keys", R"({"name":"ci"})"), 409, "service_key.exists",
                 "again");
}

TEST_F(OperatorApiTest, ListsInPagesWithoutGapOrRepetition) {
  for (int i = 2; i <= 7; ++i)
    test::must(world_.server.enroll(fmt::format("meter-{}", i), world_.tpm_b.ek()));
  std::vector<std::string> seen;
  std::string after;
  for (int pages = 0; pages < 4; ++pages) {
    const auto page = ask(net::Method::kGet, "/api/v1/enrollments?limit=3" + after);
    ASSERT_EQ(page.status, 200);
    const auto value = boost::json::parse(page.body);
    for (const auto& item : value.at("items").as_array())
      seen.emplace_back(item.at("registration_id").as_string());
    if (value.at("next").is_null()) break;
    after = fmt::format("&after={}", member(page, "next"));
  }
  EXPECT_THAT(seen,
              ::testing::ElementsAre("meter-1", "meter-2", "meter-3", "meter-4", "meter-5", "meter-6", "meter-7"));
  EXPECT_EQ(member(ask(net::Method::kGet, "/api/v1/devices"), "items"), "[]");
}

TEST_F(OperatorApiTest, RefusesInProblemDetailsAndChangesNothing) {
  const auto before = world_.stored();
  const auto ek = world_.tpm_b.ek();
  const auto lied = [&] {
    Bytes bytes = to_bytes(ek.tpm2b());
    bytes[1] ^= 1;
    return fmt::format(R"({{"registration_id":"m","attestation":{{"type":"tpm","tpm":{{"endorsement_key":"{}"}}}}}})",
                       to_base64(bytes));
  }();
  const std::string enrollments = "/api/v1/enrollments";
  using enum net::Method;
  const struct {
    std::string what;
    net::Method method;
    std::string target, body;
    int status;
    std::string code;
  } rows[] = {
      {"taken", kPost, enrollments, enrollment("meter-1", ek), 409, "enrollment.exists"},
      {"no JSON", kPost, enrollments, "{", 400, "json.syntax"},
      {"a key twice", kPost, enrollments, R"({"registration_id":"a","registration_id":"b"})", 400,
       "json.duplicate-key"},
      {"too deep", kPost, enrollments, std::string(1000, '['), 400, "json.too-deep"},
      {"too large", kPost, enrollments, std::string(70'000, ' '), 400, "json.too-large"},
      {"an unknown member", kPost, enrollments, R"({"registration_id":"m","x":1})", 400, "json.unknown-field"},
      {"no attestation", kPost, enrollments, R"({"registration_id":"m"})", 400, "json.missing"},
      {"another attestation", kPost, enrollments, R"({"registration_id":"m","attestation":{"type":"magic"}})", 400,
       "enrollment.attestation"},
      {"a bad ID", kPost, enrollments, enrollment("a b", ek), 400, "id.registration"},
      {"not there", kDelete, enrollments + "/meter-2", "", 404, "enrollment.unknown"},
      {"not there", kGet, enrollments + "/meter-2", "", 404, "enrollment.unknown"},
      {"no ID", kGet, enrollments + "/a%20b", "", 400, "id.registration"},
      {"not there", kGet, "/api/v1/devices/meter-1", "", 404, "device.unknown"},
      {"not there", kGet, "/api/v1/devices/meter-1/hub-key", "", 404, "device.unknown"},
      {"no such route", kGet, "/api/v1/device", "", 404, "http.route"},
      {"no such method", kPut, enrollments, "", 405, "http.method"},
      {"a page of none", kGet, enrollments + "?limit=0", "", 400, "request.limit"},
      {"a page of too many", kGet, enrollments + "?limit=1001", "", 400, "request.limit"},
      {"a page of words", kGet, enrollments + "?limit=ten", "", 400, "request.limit"},
      {"a page of too many digits", kGet, enrollments + "?limit=99999999999999999999", "", 400, "request.limit"},
      {"a page after nothing", kGet, enrollments + "?after=", "", 400, "request.after"},
      {"a service key without name", kPost, "/api/v1/service-keys", "{}", 400, "json.missing"},
      {"a login without token", kPost, "/api/v1/login", "{}", 400, "json.missing"},
      {"a login with another", kPost, "/api/v1/login", R"({"bootstrap_token":"x"})", 401, "credential.form"},
      {"a login for ever", kPost, "/api/v1/login", R"({"bootstrap_token":"x","lifetime_seconds":18446744073709551615})",
       400, "login.lifetime"},
      {"a login for no time", kPost, "/api/v1/login", R"({"bootstrap_token":"x","lifetime_seconds":0})", 400,
       "login.lifetime"},
      {"a login for less", kPost, "/api/v1/login", R"({"bootstrap_token":"x","lifetime_seconds":-1})", 400,
       "json.type"},
      {"a login for what is unknown", kPost, "/api/v1/login", R"({"bootstrap_token":"x","permissions":["root"]})", 400,
       "permission.unknown"},
  };
  for (const auto& row : rows)
    expect_refused(ask(row.method, row.target, row.body), row.status, row.code, row.what);
  EXPECT_EQ(ask(kPost, enrollments, lied).status, 400);
  EXPECT_EQ(world_.stored(), before);
}

// Every route of the operators' listener, by what it demands.
TEST_F(OperatorApiTest, K8_RefusesEveryRouteWithoutTheCredentialThatItDemands) {
  const auto before_expiry = world_.server.access_token(Permissions::all(), std::chrono::seconds(1)).value();
  world_.clock.advance(std::chrono::seconds(1));
  std::size_t guarded = 0;
  std::vector<std::string> open;
  for (const Route& route : world_.server.operators.router().routes()) {
    const auto permission = route.access.permission();
    if (!permission) {
      open.push_back(route.pattern);
      continue;
    }
    ++guarded;
    auto names = Permissions::all().names();
    std::erase(names, operators::to_string(*permission));
    const auto all_but_one = world_.server.access_token(Permissions::parse(names).value()).value();
    const auto just_one =
        world_.server.access_token(Permissions::parse({std::string(operators::to_string(*permission))}).value())
            .value();
    const auto with = [&](const std::string& authorization) {
      auto plain = World::TestDevice::request(route.method, route.pattern, authorization, "");
      std::ranges::replace(plain.target, '{', 'x');
      std::ranges::replace(plain.target, '}', 'x');
      std::ranges::replace(plain.target, '_', '-');
      return world_.server.operator_asks(std::move(plain));
    };
    const auto before = world_.stored();
    const std::string what = fmt::format("{} {}", net::to_string(route.method), route.pattern);
    const bool is_azures = dps_service::is_service_target(route.pattern);
    const auto expect = [&](const net::HttpResponse& answer, int status, std::string_view code) {
      if (!is_azures) return expect_refused(answer, status, code, what);
      EXPECT_EQ(answer.status, status) << what << answer.body;
      EXPECT_EQ(member(answer, "info.code"), code) << what;
    };
    expect(with(""), 401, "credential.missing");
    expect(with("Basic YWxpY2U6YWxpY2U="), 401, "credential.missing");
    expect(with("Bearer " + before_expiry), 401, "credential.expired");
    expect(with("Bearer " + all_but_one), 403, "permission.missing");
    EXPECT_EQ(net::find_header(with("").headers, "WWW-Authenticate"),
              is_azures ? "SharedAccessSignature realm=\"warifu\"" : "Bearer realm=\"warifu\"")
        << what;
    EXPECT_EQ(world_.stored(), before) << what;
    const auto allowed = with("Bearer " + just_one);
    EXPECT_TRUE(allowed.status != 401 && allowed.status != 403) << what << " " << allowed.body;
  }
  EXPECT_EQ(guarded, 105u);
  EXPECT_THAT(open, ::testing::UnorderedElementsAre("/.well-known/jwks.json", "/api/v1/login", "/healthz", "/readyz"));
}

TEST_F(OperatorApiTest, DemandsThePermissionOfWhatARouteDoes) {
  std::map<std::string, std::string> demands;
  for (const Route& route : world_.server.operators.router().routes())
    demands[fmt::format("{} {}", net::to_string(route.method), route.pattern)] = route.access.text();
  const std::pair<std::string, std::string> rows[] = {
      {"POST /api/v1/enrollments", "enrollment:write"},
      {"POST /api/v1/bulk/enrollments", "enrollment:write"},
      {"PUT /api/v1/enrollments/{registration_id}", "enrollment:write"},
      {"DELETE /api/v1/enrollments/{registration_id}", "enrollment:write"},
      {"GET /api/v1/enrollments", "enrollment:read"},
      {"GET /api/v1/enrollments/{registration_id}/keys", "enrollment-key:read"},
      {"POST /api/v1/enrollment-groups", "enrollment:write"},
      {"GET /api/v1/enrollment-groups", "enrollment:read"},
      {"GET /api/v1/waiting-registrations", "device:read"},
      {"GET /api/v1/enrollment-groups/{group_id}", "enrollment:read"},
      {"PUT /api/v1/enrollment-groups/{group_id}", "enrollment:write"},
      {"DELETE /api/v1/enrollment-groups/{group_id}", "enrollment:write"},
      {"GET /api/v1/enrollment-groups/{group_id}/keys", "enrollment-key:read"},
      {"POST /api/v1/enrollment-groups/{group_id}/eks", "enrollment:write"},
      {"GET /api/v1/enrollment-groups/{group_id}/eks", "enrollment:read"},
      {"DELETE /api/v1/enrollment-groups/{group_id}/eks/{ek_name}", "enrollment:write"},
      {"GET /api/v1/enrollment-groups/{group_id}/devices", "device:read"},
      {"GET /api/v1/approvals", "device:read"},
      {"POST /api/v1/approvals/{registration_id}/approve", "device:approve"},
      {"POST /api/v1/approvals/{registration_id}/reject", "device:approve"},
      {"GET /api/v1/alerts", "device:read"},
      {"POST /api/v1/alerts/acknowledge", "device:approve"},
      {"GET /api/v1/registrations/{registration_id}/explanation", "device:read"},
      {"POST /api/v1/ek-roots", "ek-root:write"},
      {"GET /api/v1/ek-roots", "ek-root:read"},
      {"GET /api/v1/ek-roots/{fingerprint}", "ek-root:read"},
      {"POST /api/v1/ek-roots/{fingerprint}/distrust", "ek-root:write"},
      {"POST /api/v1/ek-roots/{fingerprint}/trust", "ek-root:write"},
      {"GET /api/v1/ek-roots/{fingerprint}/devices", "ek-root:read"},
      {"POST /api/v1/ek-crls", "ek-root:write"},
      {"GET /api/v1/ek-crls", "ek-root:read"},
      {"GET /api/v1/ek-certificates/{ek_name}", "ek-root:read"},
      {"GET /api/v1/attestations", "attestation:read"},
      {"GET /api/v1/registrations/{registration_id}/attestation", "attestation:read"},
      {"GET /api/v1/registrations/{registration_id}/attestation/evidence", "attestation:read"},
      {"GET /api/v1/registrations/{registration_id}/attestation/evidence/{number}", "attestation:read"},
      {"POST /api/v1/registrations/{registration_id}/attestation/forget", "device:approve"},
      {"GET /api/v1/event-logs/{sha256}", "attestation:read"},
      {"GET /api/v1/attestation-policies", "policy:read"},
      {"GET /api/v1/attestation-policies/default", "policy:read"},
      {"PUT /api/v1/attestation-policies/default", "policy:write"},
      {"DELETE /api/v1/attestation-policies/default", "policy:write"},
      {"POST /api/v1/attestation-policies/default/test", "attestation:read"},
      {"GET /api/v1/attestation-policies/groups/{group_id}", "policy:read"},
      {"PUT /api/v1/attestation-policies/groups/{group_id}", "policy:write"},
      {"DELETE /api/v1/attestation-policies/groups/{group_id}", "policy:write"},
      {"POST /api/v1/attestation-policies/groups/{group_id}/test", "attestation:read"},
      {"GET /api/v1/attestation-policies/enrollments/{registration_id}", "policy:read"},
      {"PUT /api/v1/attestation-policies/enrollments/{registration_id}", "policy:write"},
      {"DELETE /api/v1/attestation-policies/enrollments/{registration_id}", "policy:write"},
      {"POST /api/v1/attestation-policies/enrollments/{registration_id}/test", "attestation:read"},
      {"GET /api/v1/tpm-flaws", "policy:read"},
      {"PUT /api/v1/tpm-flaws", "policy:write"},
      {"DELETE /api/v1/tpm-flaws", "policy:write"},
      {"POST /api/v1/tpm-flaws/test", "attestation:read"},
      {"GET /api/v1/tpm-flaws/devices", "attestation:read"},
      {"GET /api/v1/firmware-quirks", "policy:read"},
      {"PUT /api/v1/firmware-quirks", "policy:write"},
      {"DELETE /api/v1/firmware-quirks", "policy:write"},
      {"GET /api/v1/webhooks", "webhook:read"},
      {"POST /api/v1/webhooks", "webhook:write"},
      {"GET /api/v1/webhooks/{name}", "webhook:read"},
      {"DELETE /api/v1/webhooks/{name}", "webhook:write"},
      {"POST /api/v1/webhooks/{name}/secret", "webhook:write"},
      {"POST /api/v1/webhooks/{name}/test", "webhook:write"},
      {"GET /api/v1/certificates", "certificate:read"},
      {"GET /api/v1/certificates/{serial}", "certificate:read"},
      {"POST /api/v1/certificates/{serial}/activate", "certificate:write"},
      {"POST /api/v1/certificates/{serial}/suspend", "certificate:write"},
      {"POST /api/v1/certificates/{serial}/resume", "certificate:write"},
      {"POST /api/v1/certificates/{serial}/revoke", "certificate:write"},
      {"POST /api/v1/registrations/{registration_id}/certificate-secret", "certificate:write"},
      {"GET /api/v1/registrations/{registration_id}/application-keys", "application-key:read"},
      {"POST /api/v1/registrations/{registration_id}/application-keys", "application-key:write"},
      {"GET /api/v1/registrations/{registration_id}/application-keys/{name}", "application-key:read"},
      {"POST /api/v1/registrations/{registration_id}/application-keys/{name}/rotate", "application-key:write"},
      {"POST /api/v1/registrations/{registration_id}/application-keys/{name}/revoke", "application-key:write"},
  };
  for (const auto& [route, permission] : rows)
    EXPECT_EQ(demands[route], permission) << route;
}

TEST_F(OperatorApiTest, KeepsTheDevicesListenerFromTheOperatorsAndTheOtherWayRound) {
  for (const Route& route : world_.server.devices.router().routes())
    EXPECT_FALSE(route.access.permission()) << route.pattern;
  EXPECT_EQ(world_.meter.ask(request(net::Method::kGet, "/api/v1/devices")).status, 404);
  EXPECT_EQ(world_.server.operator_asks(world_.meter.register_request()).status, 404);
}

TEST_F(OperatorApiTest, AnswersMonitoring) {
  for (const std::string path : {"/healthz", "/readyz"})
    EXPECT_EQ(world_.server.operator_asks(World::TestDevice::request(net::Method::kGet, path, "", "")).status, 200)
        << path;
  ASSERT_TRUE(world_.meter.provision());
  ASSERT_TRUE(world_.meter.get_challenge());
  const auto metrics = ask(net::Method::kGet, "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("warifu_challenges_total 2\n"));
  EXPECT_THAT(metrics, HasSubstr("warifu_registrations_total{mechanism=\"tpm\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("warifu_challenges_outstanding 1\n"));
  EXPECT_THAT(metrics, Not(HasSubstr("meter-1")));
}

}  // namespace
}  // namespace warifu::front::api

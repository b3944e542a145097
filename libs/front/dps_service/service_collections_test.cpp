#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dps_service/test_service.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

// Queries, bulk, and the registrations of devices.
namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using test::enrollment;
using test::kSymmetric;
using test::member;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class ServiceCollectionsTest : public test::BasicServiceTest<World> {};

TEST_F(ServiceCollectionsTest, AnswersQueriesInPages) {
  for (int i = 10; i < 34; ++i)
    ASSERT_EQ(
        service_.put(fmt::format("/enrollments/pump-{}", i), enrollment(fmt::format("pump-{}", i), kSymmetric)).status,
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

TEST_F(ServiceCollectionsTest, RefusesQueriesThatItDoesNotServe) {
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
  EXPECT_EQ(service_
                .post("/enrollments/query", "{\"query\":\" select  *\\n from ENROLLMENTS \"}",
                      {{"x-ms-max-item-count", "100000"}})
                .status,
            200);
}

TEST_F(ServiceCollectionsTest, WritesManyAtOnceAndTellsWhichItRefused) {
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
    return enrollment(
        "pump-1", kSymmetric,
        fmt::format(R"(,"provisioningStatus":"disabled","etag":{})", json::serialize(json::string(etag))));
  };
  const std::string etag = member(service_.get("/enrollments/pump-1"), "etag");
  EXPECT_EQ(member(bulk("updateIfMatchEtag", {disabled("\"01a2b3c4-0000-7000-8000-000000000000\"")}), "isSuccessful"),
            "false");
  EXPECT_EQ(member(bulk("updateIfMatchEtag", {one}), "isSuccessful"), "false") << "without an etag";
  EXPECT_EQ(member(bulk("updateIfMatchEtag", {enrollment("pump-9", kSymmetric, R"(,"etag":"")")}), "isSuccessful"),
            "false")
      << "an update creates nothing";
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

TEST_F(ServiceCollectionsTest, TellsWhatBecameOfADeviceAndMakesItRegisterAnew) {
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

TEST_F(ServiceCollectionsTest, EndsTheOperationOfADeviceThatIsDeregistered) {
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

}  // namespace
}  // namespace warifu::front::dps_service

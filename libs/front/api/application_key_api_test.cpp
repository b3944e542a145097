#include "front/api/application_key_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using test::member;
using testing::HasSubstr;
using testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class ApplicationKeysOfOperators : public testing::Test {
 protected:
  net::HttpResponse give(const std::string& body, net::Headers headers = {}) {
    return alice_.ask(net::Method::kPost, kPath, body, std::move(headers));
  }
  static std::string code(const net::HttpResponse& response) {
    return response.status < 300 ? "" : member(response, "code");
  }

  static inline const std::string kPath = "/api/v1/registrations/meter-1/application-keys";
  World world_;
  test::Operator alice_{world_.server};
  const std::string brought_ = to_base64(Bytes(32, 0x5A));
};

TEST_F(ApplicationKeysOfOperators, AreMadeOrBroughtAndToldOnceIfMade) {
  const auto made = give(R"({"name":"mqtt","generate":true})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(from_base64(member(made, "key"))->size(), 32u);
  const auto brought = give(fmt::format(R"({{"name":"dlms-auth","key":"{}","capped_by_pcr":14}})", brought_));
  EXPECT_EQ(brought.status, 201) << brought.body;
  EXPECT_EQ(member(brought, "key"), "absent");
  EXPECT_EQ(member(brought, "capped_by_pcr"), "14");
  const auto listed = alice_.get(kPath);
  EXPECT_THAT(listed.body, HasSubstr("dlms-auth"));
  for (const std::string& secret : {member(made, "key"), brought_, to_hex(Bytes(32, 0x5A))}) {
    EXPECT_THAT(listed.body, Not(HasSubstr(secret)));
    EXPECT_THAT(world_.stored(), Not(HasSubstr(secret)));
    EXPECT_THAT(world_.server.metrics.text(), Not(HasSubstr(secret)));
  }
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr(R"(warifu_application_keys_total{event="given"} 2)"));
  EXPECT_THAT(world_.stored(), HasSubstr("application-key.put application-key:meter-1/mqtt"));
}

TEST_F(ApplicationKeysOfOperators, AreGivenOnceForEachIdempotencyKey) {
  const net::Headers once{{"Idempotency-Key", "again"}};
  const auto first = give(R"({"name":"mqtt","generate":true})", once);
  const auto again = give(R"({"name":"mqtt","generate":true})", once);
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(member(give(R"({"name":"mqtt","generate":true})"), "version"), "2");
}

TEST_F(ApplicationKeysOfOperators, AreRotatedAndRevoked) {
  EXPECT_EQ(code(alice_.post(kPath + "/mqtt/rotate")), "application-key.unknown");
  EXPECT_EQ(code(alice_.get(kPath + "/mqtt")), "application-key.unknown");
  give(R"({"name":"mqtt","generate":true,"capped_by_pcr":12})");
  const auto rotated = alice_.post(kPath + "/mqtt/rotate", fmt::format(R"({{"key":"{}"}})", brought_));
  EXPECT_EQ(rotated.status, 201) << rotated.body;
  EXPECT_EQ(member(rotated, "version"), "2");
  EXPECT_EQ(member(rotated, "capped_by_pcr"), "12");
  EXPECT_EQ(member(rotated, "key"), "absent");
  EXPECT_NE(member(alice_.post(kPath + "/mqtt/rotate"), "key"), "absent");
  const auto revoked = alice_.post(kPath + "/mqtt/revoke");
  EXPECT_THAT(revoked.body, Not(HasSubstr("pending")));
  // The newest first.
  const auto items = boost::json::parse(alice_.get(kPath + "/mqtt").body).at("items").as_array();
  EXPECT_EQ(items.at(0).at("version").to_number<int>(), 3);
  EXPECT_EQ(items.at(2).at("state").as_string(), "revoked");
  EXPECT_EQ(code(alice_.post(kPath + "/mqtt/rotate")), "application-key.unknown");
  EXPECT_EQ(member(give(R"({"name":"mqtt","generate":true})"), "version"), "4");
}

TEST_F(ApplicationKeysOfOperators, AreRefusedWhereTheyMakeNoSense) {
  const struct {
    std::string body, code;
  } rows[] = {
      {R"({"name":"mqtt"})", "application-key.source"},
      {R"({"name":"mqtt","generate":false})", "application-key.source"},
      {fmt::format(R"({{"name":"mqtt","generate":true,"key":"{}"}})", brought_), "application-key.source"},
      {R"({"name":"mqtt","key":"AAAA"})", "application-key.size"},
      {R"({"name":"mqtt","key":"no base64!"})", "json.base64"},
      {R"({"name":"a/b","generate":true})", "id.name"},
      {R"({"name":"mqtt","generate":true,"capped_by_pcr":23})", "application-key.pcr"},
      {R"({"name":"mqtt","generate":true,"capped_by_pcr":270})", "application-key.pcr"},
      {R"({"name":"mqtt","generate":true,"more":1})", "json.unknown-field"},
      {"", "json.syntax"},
  };
  for (const auto& row : rows) {
    const auto refused = give(row.body);
    EXPECT_EQ(member(refused, "code"), row.code) << row.body << refused.body;
    EXPECT_THAT(refused.body, Not(HasSubstr(brought_)));
  }
  EXPECT_EQ(code(alice_.post("/api/v1/registrations/nobody/application-keys", R"({"name":"mqtt","generate":true})")),
            "enrollment.unknown");
  EXPECT_EQ(code(alice_.get("/api/v1/registrations/nobody/application-keys")), "enrollment.unknown");
  EXPECT_EQ(member(alice_.get(kPath), "items"), "[]");
}

TEST_F(ApplicationKeysOfOperators, AreForWhoHasThePermission) {
  give(R"({"name":"mqtt","generate":true})");
  const test::Operator reader(world_.server, operators::Permissions::parse({"application-key:read"}).value());
  EXPECT_EQ(reader.get(kPath).status, 200);
  EXPECT_EQ(reader.post(kPath, R"({"name":"mqtt","generate":true})").status, 403);
  EXPECT_EQ(reader.post(kPath + "/mqtt/revoke").status, 403);
  const test::Operator other(world_.server, operators::Permissions::parse({"certificate:write"}).value());
  EXPECT_EQ(other.get(kPath).status, 403);
}

}  // namespace
}  // namespace warifu::front::api

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dps_service/test_service.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

// A key of one scope sees, guesses and disturbs nothing of another.
namespace warifu::front::dps_service {
namespace {

using test::enrollment;
using test::group;
using test::kSymmetric;
using test::member;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const ScopeId kOtherScope = ScopeId::parse("0ne00000002").value();

class ScopeIsolationTest : public ::testing::Test {
 protected:
  ScopeIsolationTest() {
    test::must(world_.store->write([](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(kOtherScope, "Other", Timestamp()));
      return t.audit().record(kOtherScope, {"system", "init", "scope"});
    }));
    // Both keys have the same name: only their values tell the scope.
    ours_.emplace(test::make_client(world_.server, *world_.store, world_.clock, test::scope_id(), "ci"));
    theirs_.emplace(test::make_client(world_.server, *world_.store, world_.clock, kOtherScope, "ci"));
    EXPECT_EQ(ours_->put("/enrollments/pump-7", enrollment("pump-7", kSymmetric)).status, 200);
    EXPECT_EQ(ours_->put("/enrollmentGroups/pumps", group("pumps", kSymmetric)).status, 200);
    EXPECT_TRUE(world_.meter.provision());
  }
  // Status, body without what differs in each answer.
  static std::string told(const net::HttpResponse& answer) {
    return fmt::format("{} {} {}", answer.status, member(answer, "errorCode"), member(answer, "message"));
  }

  World world_;
  std::optional<test::ServiceClient> ours_;
  std::optional<test::ServiceClient> theirs_;
};

TEST_F(ScopeIsolationTest, WhatIsThereIsAnsweredLikeWhatIsNot) {
  const std::string before = world_.stored();
  const struct {
    std::string there, absent;
  } rows[] = {
      {"/enrollments/pump-7", "/enrollments/none-7"},
      {"/enrollments/meter-1", "/enrollments/nones-1"},
      {"/enrollmentGroups/pumps", "/enrollmentGroups/nones"},
      {"/registrations/meter-1", "/registrations/nones-1"},
  };
  const auto same = [](std::string text) {
    for (const std::string_view name : {"pump-7", "none-7", "meter-1", "nones-1", "pumps", "nones"})
      if (const auto at = text.find(name); at != std::string::npos) text.replace(at, name.size(), "ID");
    return text;
  };
  const std::string etag = member(ours_->get("/enrollments/pump-7"), "etag");
  for (const auto& row : rows) {
    EXPECT_EQ(same(told(theirs_->get(row.there))), same(told(theirs_->get(row.absent))));
    EXPECT_EQ(theirs_->get(row.there).status, 404);
    for (const std::string& if_match : {std::string(), std::string("*"), etag})
      EXPECT_EQ(same(told(theirs_->remove(row.there, if_match))), same(told(theirs_->remove(row.absent, if_match))));
    EXPECT_EQ(same(told(theirs_->post(row.there + "/attestationmechanism"))),
              same(told(theirs_->post(row.absent + "/attestationmechanism"))));
  }
  EXPECT_EQ(theirs_->put("/enrollments/pump-7", enrollment("pump-7", kSymmetric), "*").status, 404);
  EXPECT_EQ(theirs_->put("/enrollments/pump-7", enrollment("pump-7", kSymmetric), etag).status, 404);
  EXPECT_EQ(theirs_->post("/registrations/pumps/query", R"({"query":"*"})").status, 404);
  EXPECT_EQ(member(theirs_->post("/enrollments/", R"({"mode":"delete","enrollments":[{"registrationId":"pump-7"}]})"),
                   "isSuccessful"),
            "false");
  EXPECT_EQ(theirs_->post("/enrollments/query", R"({"query":"*"})").body, "[]");
  EXPECT_EQ(theirs_->post("/enrollmentGroups/query", R"({"query":"*"})").body, "[]");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(ScopeIsolationTest, TheSameIdsAreOtherThings) {
  const std::string enrolled = ours_->get("/enrollments/pump-7").body;
  const std::string keys = ours_->post("/enrollments/pump-7/attestationmechanism").body;
  const std::string state = ours_->get("/registrations/meter-1").body;
  ASSERT_EQ(theirs_->put("/enrollments/pump-7", enrollment("pump-7", kSymmetric)).status, 200);
  ASSERT_EQ(theirs_->put("/enrollments/meter-1", enrollment("meter-1", kSymmetric)).status, 200);
  ASSERT_EQ(theirs_->put("/enrollmentGroups/pumps", group("pumps", kSymmetric)).status, 200);
  EXPECT_NE(theirs_->post("/enrollments/pump-7/attestationmechanism").body, keys);
  EXPECT_EQ(member(theirs_->get("/enrollments/meter-1"), "registrationState"), "absent");
  EXPECT_EQ(theirs_->post("/registrations/pumps/query", R"({"query":"*"})").body, "[]");
  EXPECT_EQ(theirs_->remove("/registrations/meter-1").status, 404);
  EXPECT_EQ(theirs_->remove("/enrollments/pump-7").status, 204);
  EXPECT_EQ(theirs_->remove("/enrollmentGroups/pumps").status, 204);

  EXPECT_EQ(ours_->get("/enrollments/pump-7").body, enrolled);
  EXPECT_EQ(ours_->post("/enrollments/pump-7/attestationmechanism").body, keys);
  EXPECT_EQ(ours_->get("/registrations/meter-1").body, state);
  EXPECT_EQ(ours_->get("/enrollmentGroups/pumps").status, 200);
  EXPECT_TRUE(world_.meter.provision());
}

// A key of the other scope's is not there to be listed or deleted.
TEST_F(ScopeIsolationTest, TheKeysThemselvesAreOfTheirScope) {
  const std::string token = "Bearer " + world_.server.access_token(operators::Permissions::all()).value();
  const auto ask = [&](net::Method method, std::string target) {
    net::HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = {{"Authorization", token}};
    return world_.server.operator_asks(std::move(request));
  };
  test::make_client(world_.server, *world_.store, world_.clock, kOtherScope, "theirs");
  EXPECT_THAT(ask(net::Method::kGet, "/api/v1/service-keys").body, Not(HasSubstr("theirs")));
  EXPECT_EQ(ask(net::Method::kDelete, "/api/v1/service-keys/theirs").status, 404);
  EXPECT_EQ(ask(net::Method::kDelete, "/api/v1/service-keys/ci").status, 204);
  EXPECT_EQ(ours_->get("/enrollments/pump-7").status, 401);
  EXPECT_EQ(theirs_->post("/enrollments/query", R"({"query":"*"})").status, 200) << "theirs of that name stays";
}

}  // namespace
}  // namespace warifu::front::dps_service

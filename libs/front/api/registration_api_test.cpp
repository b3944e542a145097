#include "front/api/registration_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

const std::string kApprovals = "/api/v1/approvals";
const std::string kAlerts = "/api/v1/alerts";

class RegistrationApiTest : public ::testing::Test {
 protected:
  // What the diary holds back for a moment is on disk afterwards, and the next attempt is later than all before.
  void settle() {
    world_.server.attempts.flush();
    test::must(world_.store->write([](store::Transaction&) { return Status(); }));
    world_.clock.advance(std::chrono::seconds(1));
  }
  net::HttpResponse explain(const std::string& id) {
    settle();
    return operator_.get("/api/v1/registrations/" + id + "/explanation");
  }
  // provision(), each request at a time of its own: they are told in their order.
  Result<SecretBytes> provision_in_steps(const World::TestDevice& device) {
    TRY(const auto key, device.get_challenge());
    settle();
    const auto token = device.sign(key);
    TRY(const auto operation, device.open_operation(token));
    settle();
    return device.collect(operation, token);
  }
  // meter-1 is assigned; then its TPM is cleared and it comes again, which an operator has to approve.
  std::pair<std::string, std::string> come_with_another_srk() {
    EXPECT_EQ(operator_
                  .put("/api/v1/enrollments/meter-1",
                       test::tpm_enrollment("meter-1", world_.tpm_a.ek(), R"(,"approve_srk_changes":true)"))
                  .status,
              200);
    EXPECT_TRUE(world_.meter.provision());
    settle();
    const auto token = cleared_.sign(cleared_.get_challenge().value());
    settle();
    auto operation = cleared_.open_operation(token).value();
    return {std::move(operation), token};
  }

  World world_;
  const test::Operator operator_{world_.server};
  World::TestDevice cleared_ = world_.device(world_.tpm_a_cleared, "meter-1");
};

TEST_F(RegistrationApiTest, ADeviceThatWaitsIsListedApprovedAndAssigned) {
  const auto [operation, token] = come_with_another_srk();
  const auto listed = operator_.get(kApprovals);
  EXPECT_THAT(member(listed, "items"),
              AllOf(HasSubstr(R"("registration_id":"meter-1")"), HasSubstr(world_.tpm_a_cleared.srk().name().text()),
                    HasSubstr(R"("approved_at":null)")));
  EXPECT_FALSE(cleared_.collect(operation, token));
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("waits for your decision"));

  const auto approved = operator_.decide("approve", "meter-1");
  EXPECT_EQ(approved.status, 200) << approved.body;
  EXPECT_NE(member(approved, "approved_at"), "null");
  EXPECT_THAT(world_.stored(), ContainsRegex("operator:alice/[0-9a-f-]+ approval.grant registration:meter-1"));
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("is approved"));
  EXPECT_FALSE(cleared_.collect(operation, token));  // assigned with this request, told with the next
  EXPECT_TRUE(cleared_.collect(operation, token));
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("All is well"));
  EXPECT_EQ(member(operator_.get(kApprovals), "items"), "[]");
}

TEST_F(RegistrationApiTest, ADeviceThatIsRejectedIsNotAssigned) {
  const auto [operation, token] = come_with_another_srk();
  EXPECT_EQ(operator_.decide("reject", "meter-1").status, 204);
  EXPECT_FALSE(cleared_.collect(operation, token));
  EXPECT_FALSE(cleared_.collect(operation, token));
  EXPECT_EQ(member(operator_.get(kApprovals), "items"), "[]");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/meter-1"), "srk_name"), world_.tpm_a.srk().name().text());
  EXPECT_EQ(member(operator_.decide("reject", "meter-1"), "code"), "approval.unknown");
  EXPECT_EQ(member(operator_.decide("approve", "meter-1"), "code"), "approval.unknown");
}

TEST_F(RegistrationApiTest, AWordOnOtherKeysThanThoseThatWaitIsAConflictAndChangesNothing) {
  come_with_another_srk();
  const auto seen = operator_.approval_keys("meter-1");
  const auto third = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a", "p256").value();
  settle();
  const auto other = world_.device(third, "meter-1");
  const auto token = other.sign(other.get_challenge().value());
  settle();
  ASSERT_TRUE(other.open_operation(token));  // between the operator's look and his word
  const auto before = world_.stored();
  for (const std::string verb : {"/approve", "/reject"}) {
    const auto answer = operator_.post(kApprovals + "/meter-1" + verb, seen);
    EXPECT_EQ(answer.status, 409) << answer.body;
    EXPECT_EQ(member(answer, "code"), "approval.keys");
    EXPECT_THAT(member(answer, "detail"), HasSubstr(third.srk().name().text()));
  }
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(operator_.decide("approve", "meter-1").status, 200);
}

TEST_F(RegistrationApiTest, AlertsAreListedInPagesAndAcknowledged) {
  test::must(world_.server.enroll("meter-2", world_.tpm_a.ek()));
  test::must(world_.server.enroll("meter-3", world_.tpm_a.ek()));
  ASSERT_TRUE(world_.meter.provision());
  const auto first = operator_.get(kAlerts + "?limit=1");
  EXPECT_EQ(member(first, "next"), "meter-1~ek.duplicate~meter-2");
  const auto last = operator_.get(kAlerts + "?limit=1&after=" + member(first, "next"));
  EXPECT_EQ(member(last, "next"), "null");
  EXPECT_THAT(last.body, AllOf(HasSubstr(R"("subject":"meter-3")"), Not(HasSubstr(R"("subject":"meter-2")"))));

  const std::string duplicate = R"({"registration_id":"meter-1","kind":"ek.duplicate","subject":"meter-2"})";
  EXPECT_EQ(operator_.post(kAlerts + "/acknowledge", duplicate).status, 204);
  EXPECT_THAT(operator_.get(kAlerts + "?limit=1").body, Not(HasSubstr(R"("acknowledged_at":null)")));
  EXPECT_THAT(operator_.get(kAlerts + "?limit=1&after=" + member(first, "next")).body,
              HasSubstr(R"("acknowledged_at":null)"));
  EXPECT_THAT(world_.stored(), ContainsRegex("operator:alice/[0-9a-f-]+ alert.acknowledge registration:meter-1"));
  EXPECT_THAT(member(explain("meter-1"), "alerts"), HasSubstr("meter-3"));
}

TEST_F(RegistrationApiTest, TellsTheWholeStory) {
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("nobody came under this ID"));
  ASSERT_TRUE(world_.meter.get_challenge());
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("was given a challenge"));
  ASSERT_TRUE(provision_in_steps(world_.meter));
  const auto told = explain("METER-1");
  EXPECT_THAT(member(told, "verdict"), AllOf(HasSubstr("All is well"), HasSubstr("hub.example")));
  EXPECT_EQ(member(told, "registration_id"), "meter-1");
  EXPECT_EQ(member(told, "enrollment.ek_name"), world_.tpm_a.ek().name().text());
  EXPECT_EQ(member(told, "group"), "null");
  EXPECT_EQ(member(told, "device.device_id"), "meter-1");
  EXPECT_EQ(member(told, "operation.state"), "assigned");
  EXPECT_NE(member(told, "operation.ended_at"), "null");
  EXPECT_EQ(member(told, "approval"), "null");
  EXPECT_EQ(member(told, "alerts"), "[]");
  EXPECT_THAT(member(told, "attempts"), AllOf(HasSubstr(R"("stage":"challenge")"), HasSubstr(R"("stage":"operation")"),
                                              HasSubstr(R"("stage":"assignment")"), HasSubstr("192.0.2.7")));

  ASSERT_EQ(operator_.remove("/api/v1/enrollments/meter-1").status, 204);
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("its enrollment is gone"));
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  EXPECT_THAT(member(explain("meter-1"), "verdict"), HasSubstr("was enrolled anew"));
}

TEST_F(RegistrationApiTest, NamesBothEksToTheOperatorAndNoneToTheDevice) {
  const auto told =
      world_.device(world_.tpm_b, "meter-1").ask(world_.device(world_.tpm_b, "meter-1").register_request());
  EXPECT_EQ(told.status, 401);
  EXPECT_EQ(member(told, "authenticationKey"), "absent");
  const auto verdict = member(explain("meter-1"), "verdict");
  EXPECT_THAT(verdict, AllOf(HasSubstr("enrolled is the EK " + world_.tpm_a.ek().name().text()),
                             HasSubstr("the device has " + world_.tpm_b.ek().name().text())));
  EXPECT_FALSE(world_.told_an_endorsement_key());
}

TEST_F(RegistrationApiTest, NamesTheEkOfADeviceThatIsNotEnrolled) {
  EXPECT_FALSE(world_.device(world_.tpm_b, "meter-2").provision());
  EXPECT_THAT(member(explain("meter-2"), "verdict"),
              AllOf(HasSubstr(world_.tpm_b.ek().name().text()), HasSubstr("warifu enrollment create")));
  EXPECT_FALSE(world_.told_an_endorsement_key());
}

TEST_F(RegistrationApiTest, KeepsTheNamingOfAGroupAndWhatATpmIsBoundToFromTheDevice) {
  ASSERT_EQ(operator_.post("/api/v1/enrollment-groups", test::tpm_group("plant", "pump-*")).status, 201);
  ASSERT_EQ(operator_.post("/api/v1/enrollment-groups/plant/eks", test::ek_list({&world_.tpm_b.ek()})).status, 200);
  EXPECT_FALSE(world_.device(world_.tpm_b, "fan-1").provision());
  EXPECT_THAT(member(explain("fan-1"), "verdict"), AllOf(HasSubstr("plant"), HasSubstr("pump-*")));
  ASSERT_TRUE(world_.device(world_.tpm_b, "pump-1").provision());
  settle();
  EXPECT_FALSE(provision_in_steps(world_.device(world_.tpm_b, "pump-2")));
  EXPECT_THAT(member(explain("pump-2"), "verdict"), HasSubstr("belongs to pump-1"));
  EXPECT_EQ(member(explain("pump-1"), "group.group_id"), "plant");
  for (const auto& told : world_.server.told_to_devices())
    EXPECT_THAT(told, AllOf(Not(HasSubstr("pump-*")), Not(HasSubstr("belongs to"))));
}

TEST_F(RegistrationApiTest, ShowsAtMostTwentyAttemptsTheNewestFirst) {
  for (int i = 0; i < 25; ++i) {
    world_.clock.advance(provisioning::Diary::kTogether);
    ASSERT_TRUE(world_.meter.get_challenge());
    settle();
  }
  const auto last = to_rfc3339(world_.clock.now() - std::chrono::seconds(1));
  const auto attempts = boost::json::parse(member(explain("meter-1"), "attempts")).as_array();
  ASSERT_EQ(attempts.size(), 20u);
  EXPECT_EQ(attempts[0].at("at").as_string(), last);
}

TEST_F(RegistrationApiTest, CountsWhatADeviceTriesAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(world_.meter.get_challenge());
    settle();
  }
  const auto attempts = boost::json::parse(member(explain("meter-1"), "attempts")).as_array();
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].at("count").as_int64(), 3);
  EXPECT_LT(attempts[0].at("first_at").as_string(), attempts[0].at("at").as_string());
}

TEST_F(RegistrationApiTest, RefusesWithTheFieldAndChangesNothing) {
  const auto before = world_.stored();
  using enum net::Method;
  const std::string acknowledge = kAlerts + "/acknowledge";
  const std::string keys = operator_.approval_keys("meter-1");
  const struct {
    std::string what;
    net::Method method;
    std::string target, body;
    int status;
    std::string code, names;
  } rows[] = {
      {"nobody", kGet, "/api/v1/registrations/nobody/explanation", "", 404, "registration.unknown", "nobody"},
      {"no ID", kGet, "/api/v1/registrations/a%20b/explanation", "", 400, "id.registration", "registration"},
      {"nothing to approve", kPost, kApprovals + "/meter-1/approve", keys, 404, "approval.unknown", "meter-1"},
      {"nothing to reject", kPost, kApprovals + "/meter-1/reject", keys, 404, "approval.unknown", "meter-1"},
      {"no EK", kPost, kApprovals + "/meter-1/approve", "{}", 400, "json.missing", "ek_name"},
      {"no SRK", kPost, kApprovals + "/meter-1/reject", R"({"ek_name":"000b"})", 400, "json.missing", "srk_name"},
      {"no body", kPost, kApprovals + "/meter-1/reject", "", 400, "json.syntax", ""},
      {"no Name", kPost, kApprovals + "/meter-1/approve", R"({"ek_name":"x","srk_name":"000b"})", 400, "tpm.name",
       "ek_name"},
      {"no Name either", kPost, kApprovals + "/meter-1/approve",
       R"({"ek_name":"000b)" + std::string(64, '0') + R"(","srk_name":"000b"})", 400, "tpm.name", "srk_name"},
      {"more than the names", kPost, kApprovals + "/meter-1/approve", R"({"ek_name":"","srk_name":"","x":1})", 400,
       "json.unknown-field", "x"},
      {"approvals after nothing", kGet, kApprovals + "?after=a%20b", "", 400, "request.after", "after"},
      {"alerts after an ID", kGet, kAlerts + "?after=meter-1", "", 400, "request.after", "after"},
      {"alerts after half of one", kGet, kAlerts + "?after=meter-1~ek", "", 400, "request.after", "after"},
      {"alerts after no ID", kGet, kAlerts + "?after=~ek~x", "", 400, "request.after", "after"},
      {"a page of none", kGet, kAlerts + "?limit=0", "", 400, "request.limit", "limit"},
      {"no alert", kPost, acknowledge, "{}", 400, "json.missing", "registration_id"},
      {"no kind", kPost, acknowledge, R"({"registration_id":"meter-1"})", 400, "json.missing", "kind"},
      {"no subject", kPost, acknowledge, R"({"registration_id":"meter-1","kind":"k"})", 400, "json.missing", "subject"},
      {"more", kPost, acknowledge, R"({"registration_id":"m","kind":"k","subject":"s","x":1})", 400,
       "json.unknown-field", "x"},
      {"an alert that is not there", kPost, acknowledge, R"({"registration_id":"m","kind":"k","subject":"s"})", 404,
       "alert.unknown", ""},
  };
  for (const auto& row : rows) {
    const auto answer = operator_.ask(row.method, row.target, row.body);
    EXPECT_EQ(answer.status, row.status) << row.what << answer.body;
    EXPECT_EQ(member(answer, "code"), row.code) << row.what << answer.body;
    EXPECT_THAT(member(answer, "detail"), HasSubstr(row.names)) << row.what;
  }
  EXPECT_EQ(world_.stored(), before);
}

}  // namespace
}  // namespace warifu::front::api

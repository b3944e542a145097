// Devices that prove themselves by a symmetric key of their own, and what a device is assigned, whatever it has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::member;

const std::string kEnrollmentsPath = "/api/v1/enrollments";

class DeviceKeysTest : public ::testing::Test {
 protected:
  static std::string body(const std::string& id, const Bytes& primary, const Bytes& secondary,
                          const std::string& more = {}) {
    return fmt::format(
        R"({{"registration_id":"{}","attestation":{{"type":"symmetric-key","symmetric_key":{{"primary_key":"{}",)"
        R"("secondary_key":"{}"}}}}{}}})",
        id, to_base64(primary), to_base64(secondary), more);
  }
  void enroll(const std::string& id, const std::string& more = {}) {
    const auto answer = operator_.put(kEnrollmentsPath + "/" + id, body(id, kPrimary, kSecondary, more));
    ASSERT_LT(answer.status, 300) << answer.body;
  }
  void unenroll(const std::string& id) { ASSERT_EQ(operator_.remove(kEnrollmentsPath + "/" + id).status, 204); }
  test::PlainDevice device(const std::string& id) {
    return test::PlainDevice(world_.server, world_.clock, id).with_key(kPrimary);
  }
  void expect_refused(const net::HttpResponse& answer, int status, const std::string& code, const std::string& what) {
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
    EXPECT_EQ(member(answer, "info.code"), code) << what;
    EXPECT_EQ(member(answer, "assignedHub"), "absent") << what;
  }

  const Bytes kPrimary = Bytes(32, 0x11);
  const Bytes kSecondary = Bytes(32, 0x22);
  const Bytes kOther = Bytes(32, 0x33);
  World world_;
  const test::Operator operator_{world_.server};
};

TEST_F(DeviceKeysTest, RegistersPollsAndIsLookedUpWithEitherKey) {
  for (const auto& [id, key] : {std::pair{"lamp-1", kPrimary}, std::pair{"lamp-2", kSecondary}}) {
    enroll(id);
    const auto lamp = device(id).with_key(key);
    const auto token = lamp.sign();
    EXPECT_EQ(member(lamp.look_up(token), "info.code"), "device.unknown");
    const auto accepted = lamp.ask_to_register(token);
    EXPECT_EQ(accepted.status, 202) << accepted.body;  // at once: nothing to challenge
    const auto assigned = lamp.poll(member(accepted, "operationId"), token);
    EXPECT_EQ(assigned.status, 200) << assigned.body;
    EXPECT_EQ(member(assigned, "status"), "assigned");
    EXPECT_EQ(member(assigned, "registrationState.registrationId"), id);
    EXPECT_EQ(member(assigned, "registrationState.deviceId"), id);
    EXPECT_EQ(member(assigned, "registrationState.assignedHub"), "hub.example");
    EXPECT_EQ(member(assigned, "registrationState.substatus"), "initialAssignment");
    EXPECT_EQ(member(assigned, "registrationState.symmetricKey"), "{}");
    EXPECT_EQ(member(assigned, "registrationState.tpm"), "absent");
    EXPECT_EQ(member(lamp.look_up(token), "assignedHub"), "hub.example");
    EXPECT_THAT(world_.stored(), HasSubstr(R"("mechanism":"symmetric-key","group":"","assigned_hub":"hub.example")"));
  }
  // The hub knows it by the keys that it was enrolled with.
  const auto shown = operator_.get("/api/v1/devices/lamp-1/hub-key");
  EXPECT_EQ(member(shown, "primary_key"), to_base64(kPrimary));
  EXPECT_EQ(member(shown, "secondary_key"), to_base64(kSecondary));
}

TEST_F(DeviceKeysTest, GivesTheSameOperationForTheSameTokenAndRepeatsTheResult) {
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign();
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  const auto opened = world_.stored();
  EXPECT_EQ(member(lamp.ask_to_register(token), "operationId"), operation);
  EXPECT_EQ(world_.stored(), opened);
  EXPECT_NE(member(lamp.ask_to_register(lamp.sign(hours(2))), "operationId"), operation) << "another proof";

  const auto last = lamp.sign(hours(3));
  const auto again = member(lamp.ask_to_register(last), "operationId");
  const auto first = lamp.poll(again, last);
  const auto collected = world_.stored();
  EXPECT_EQ(lamp.poll(again, last).body, first.body);
  EXPECT_EQ(world_.stored(), collected);
  expect_refused(lamp.poll(operation, token), 403, "operation.superseded", "the first operation");
}

TEST_F(DeviceKeysTest, LetsTheOpeningTokenPollAfterItsExpiryAndNoOther) {
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign(seconds(30));  // IoT Edge makes one for all its polls
  const auto other = lamp.sign(seconds(31));
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  world_.clock.advance(minutes(20));
  expect_refused(lamp.poll(operation, other), 401, "token.expired", "another one");
  expect_refused(lamp.ask_to_register(token), 401, "token.expired", "a registration");
  expect_refused(lamp.look_up(token), 401, "token.expired", "a lookup");
  EXPECT_EQ(lamp.poll(operation, token).status, 200);
}

// What was never fetched must not stand in the way: here the same token, with a certificate the same proof for years.
TEST_F(DeviceKeysTest, ADeviceThatNeverFetchedItsResultIsAssignedAnew) {
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign(hours(5));
  const auto lost = member(lamp.ask_to_register(token), "operationId");
  world_.clock.advance(minutes(61));
  expect_refused(lamp.poll(lost, token), 404, "operation.unknown", "too late");
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  EXPECT_NE(operation, lost);
  EXPECT_EQ(lamp.poll(operation, token).status, 200);
}

TEST_F(DeviceKeysTest, RefusesEveryOtherKeyAndChangesNothing) {
  enroll("lamp-1");
  enroll("lamp-2");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign();
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  const auto before = world_.stored();
  const auto forged = lamp.with_key(kOther).sign();
  const auto others = device("lamp-2").sign();
  expect_refused(lamp.ask_to_register(forged), 401, "token.signature", "register");
  expect_refused(lamp.look_up(forged), 401, "token.signature", "lookup");
  expect_refused(lamp.poll(operation, forged), 401, "token.signature", "poll");
  expect_refused(lamp.poll(operation, ""), 401, "token.missing", "poll");
  expect_refused(lamp.ask_to_register(others), 401, "token.resource", "another device's token");
  expect_refused(lamp.ask_to_register(""), 400, "request.tpm", "nothing shown");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceKeysTest, AChangedKeyKillsTheTokensOfTheOldOne) {
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign();
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  ASSERT_EQ(operator_.put(kEnrollmentsPath + "/lamp-1", body("lamp-1", kOther, kSecondary)).status, 200);
  expect_refused(lamp.ask_to_register(token), 401, "token.signature", "register");
  expect_refused(lamp.poll(operation, token), 401, "token.signature", "poll");
  expect_refused(lamp.look_up(token), 401, "token.signature", "lookup");
  EXPECT_EQ(lamp.with_key(kOther).provision().status, 200);
  EXPECT_EQ(lamp.with_key(kSecondary).provision().status, 200);
}

TEST_F(DeviceKeysTest, RefusesADisabledOneAtEveryDoorAndTellsAStrangerNothingOfIt) {
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign();
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  enroll("lamp-1", R"(,"enabled":false)");
  const auto before = world_.stored();
  expect_refused(lamp.ask_to_register(token), 403, "enrollment.disabled", "register");
  expect_refused(lamp.poll(operation, token), 403, "enrollment.disabled", "poll");
  expect_refused(lamp.look_up(token), 403, "enrollment.disabled", "lookup");
  const auto forged = lamp.with_key(kOther).sign();
  expect_refused(lamp.ask_to_register(forged), 401, "token.signature", "a stranger");
  expect_refused(lamp.look_up(forged), 401, "token.signature", "a stranger");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(member(operator_.get("/api/v1/devices/lamp-1/hub-key"), "code"), "device.credentials_revoked");
  enroll("lamp-1", R"(,"enabled":true)");
  EXPECT_EQ(lamp.poll(operation, token).status, 200);
}

TEST_F(DeviceKeysTest, AKeyOpensNothingInAnotherScope) {
  test::must(world_.server.make_scope(ScopeId::parse("0ne00000002").value()));
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto elsewhere = lamp.in_scope("0ne00000002");
  const auto operation = member(lamp.ask_to_register(lamp.sign()), "operationId");
  const auto before = world_.stored();
  expect_refused(elsewhere.ask_to_register(elsewhere.sign()), 401, "challenge.unknown", "not enrolled there");
  expect_refused(elsewhere.poll(operation, elsewhere.sign()), 404, "operation.unknown", "its operation there");
  expect_refused(lamp.ask_to_register(elsewhere.sign()), 401, "token.resource", "a token for there");
  expect_refused(elsewhere.ask_to_register(lamp.sign()), 401, "token.resource", "a token for here");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceKeysTest, GoesWhereThePolicySaysWhenItComesAgain) {
  const struct {
    std::string policy, version, substatus, hub;
  } rows[] = {
      {R"(,"reprovision":"migrate")", "2019-03-31", "deviceDataMigrated", "b.example"},
      {R"(,"reprovision":"reset")", "2019-03-31", "deviceDataReset", "b.example"},
      {R"(,"reprovision":"never")", "2019-03-31", "initialAssignment", "a.example"},
      {"", "2019-03-31", "deviceDataMigrated", "b.example"},
      {"", "2021-10-01", "deviceDataMigrated", "b.example"},
      // Made before re-provisioning: what they were assigned stays, unless the operator says otherwise.
      {"", "2018-04-01", "initialAssignment", "a.example"},
      {"", "2017-08-31-preview", "initialAssignment", "a.example"},
      {R"(,"reprovision":"migrate")", "2018-04-01", "deviceDataMigrated", "b.example"},
      {R"(,"reprovision":"reset")", "2018-04-01", "deviceDataReset", "b.example"},
  };
  int number = 0;
  for (const auto& row : rows) {
    const auto id = fmt::format("lamp-{}", ++number);
    const std::string what = row.policy + " " + row.version;
    enroll(id, R"(,"hubs":["a.example"])" + row.policy);
    const auto first = device(id).provision(row.version);
    EXPECT_EQ(member(first, "registrationState.substatus"), "initialAssignment") << what;
    EXPECT_EQ(member(first, "registrationState.assignedHub"), "a.example") << what;
    world_.clock.advance(seconds(1));
    enroll(id, R"(,"hubs":["b.example"])" + row.policy);
    const auto second = device(id).provision(row.version);
    EXPECT_EQ(member(second, "registrationState.assignedHub"), row.hub) << what;
    EXPECT_EQ(member(second, "registrationState.substatus"), row.substatus) << what;
    EXPECT_EQ(member(second, "registrationState.createdDateTimeUtc"),
              member(first, "registrationState.createdDateTimeUtc"));
  }
}

TEST_F(DeviceKeysTest, HasTheDeviceIdThatItsOperatorChoseAndNobodyElses) {
  enroll("lamp-1", R"(,"device_id":"hall-7")");
  const auto assigned = device("lamp-1").provision();
  EXPECT_EQ(member(assigned, "registrationState.deviceId"), "hall-7");
  EXPECT_EQ(member(assigned, "registrationState.registrationId"), "lamp-1");
  EXPECT_EQ(operator_.get("/api/v1/devices/hall-7").status, 200);
  // Both are enrolled before the first one comes; it then has the device.
  enroll("lamp-2", R"(,"device_id":"hall-8")");
  enroll("lamp-3", R"(,"device_id":"hall-8")");
  ASSERT_EQ(device("lamp-2").provision().status, 200);
  const auto before = world_.stored();
  const auto refused = device("lamp-3").provision();
  expect_refused(refused, 403, "device.id_taken", "the second");
  EXPECT_THAT(refused.body, ::testing::Not(HasSubstr("lamp-2")));
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceKeysTest, SpreadsDevicesOverHubsAndKeepsEachWhereItIs) {
  const std::string hubs = R"(,"allocation":"hashed","hubs":["a.example","b.example","c.example"])";
  std::set<std::string> used;
  for (int i = 0; i < 20; ++i) {
    const auto id = fmt::format("lamp-{}", i);
    enroll(id, hubs);
    const auto hub = member(device(id).provision(), "registrationState.assignedHub");
    world_.clock.advance(seconds(1));
    EXPECT_EQ(member(device(id).provision(), "registrationState.assignedHub"), hub) << id;
    used.insert(hub);
  }
  EXPECT_EQ(used, (std::set<std::string>{"a.example", "b.example", "c.example"}));
}

TEST_F(DeviceKeysTest, RefusesCustomAllocationThatNobodyMakes) {
  enroll("lamp-1",
         R"(,"allocation":"custom","custom_allocation":{"webhookUrl":"https://x.example/","apiVersion":"2019-03-31"})");
  const auto before = world_.stored();
  expect_refused(device("lamp-1").provision(), 403, "enrollment.allocation", "custom");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceKeysTest, AnEnrollmentThatIsMadeAnewIsAnotherOne) {
  enroll("lamp-1");
  const auto lamp = device("lamp-1");
  const auto token = lamp.sign();
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  unenroll("lamp-1");
  expect_refused(lamp.poll(operation, token), 401, "challenge.unknown", "deleted");
  enroll("lamp-1");  // with the same keys
  expect_refused(lamp.poll(operation, token), 403, "operation.superseded", "made anew");
  expect_refused(lamp.look_up(token), 404, "device.unknown", "made anew");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/lamp-1/hub-key"), "code"), "device.credentials_revoked");
  EXPECT_NE(member(lamp.ask_to_register(token), "operationId"), operation);
  EXPECT_EQ(operator_.get("/api/v1/devices/lamp-1/hub-key").status, 200);
}

}  // namespace
}  // namespace warifu::front::dps

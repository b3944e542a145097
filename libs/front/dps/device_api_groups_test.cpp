// Devices that come under a group: TPMs of a list, and keys that are derived from the group's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "provisioning/shared_keys.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

const std::string kGroupsPath = "/api/v1/enrollment-groups";

class DeviceGroupsTest : public ::testing::Test {
 protected:
  DeviceGroupsTest() { test::must(world_.server.unenroll("meter-1")); }
  ~DeviceGroupsTest() override { EXPECT_FALSE(world_.told_an_endorsement_key()); }

  void put_group(const std::string& id, const std::string& body) {
    const auto answer = operator_.put(kGroupsPath + "/" + id, body);
    ASSERT_LT(answer.status, 300) << answer.body;
  }
  void make_group(const std::string& id, const std::string& naming, std::vector<const tpm::EkPublic*> eks) {
    put_group(id, test::tpm_group(id, naming));
    const auto listed = operator_.post(kGroupsPath + "/" + id + "/eks", test::ek_list(eks));
    ASSERT_EQ(listed.status, 200) << listed.body;
  }
  std::string make_key_group(const std::string& id) {
    put_group(id, test::key_group(id));
    return member(operator_.get(kGroupsPath + "/" + id + "/keys"), "primary_key");
  }
  test::PlainDevice key_device(const std::string& id, const std::string& group_key, const std::string& derived_for) {
    const SecretBytes key(from_base64(group_key).value());
    const auto own = provisioning::derive_device_key(key, derived_for);
    return test::PlainDevice(world_.server, world_.clock, id).with_key(to_bytes(own.reveal()));
  }
  std::string hub_key_code(const std::string& device) {
    return member(operator_.get("/api/v1/devices/" + device + "/hub-key"), "code");
  }
  // What an operator is told of both.
  std::string alerts() { return operator_.get("/api/v1/alerts").body; }
  std::string approvals() { return operator_.get("/api/v1/approvals").body; }
  // The code of the refusal; "waits" or "assigned".
  std::string come(const World::TestDevice& device) {
    world_.clock.advance(std::chrono::seconds(1));
    return device.come().told;
  }

  World world_;
  const test::Operator operator_{world_.server};
  const World::TestDevice a_{world_.server, world_.clock, world_.tpm_a, "pump-1"};
  const World::TestDevice b_{world_.server, world_.clock, world_.tpm_b, "pump-1"};
  const sim::SoftwareTpm third_tpm_ =
      sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "p256").value();
  const World::TestDevice third_{world_.server, world_.clock, third_tpm_, "pump-1"};
};

TEST_F(DeviceGroupsTest, TakesTheTpmsOfItsListUnderTheIdsOfItsNaming) {
  const auto hash = tpm::default_registration_id(world_.tpm_b.ek());
  const struct {
    std::string naming, id, outcome;
  } rows[] = {
      {"{ek}", hash, "assigned"},
      {"{ek}", "pump-1", "enrollment.name"},
      {"pump-{ek:8}", "pump-" + hash.substr(0, 8), "assigned"},
      {"pump-{ek:8}", "pump-" + hash.substr(0, 9), "enrollment.name"},
      {"pump-{ek:8}", "pump-aaaaaaaa", "enrollment.name"},
      {"pump-*", "pump-7", "assigned"},
      {"pump-*", "pump-", "enrollment.unknown"},  // no registration ID at all
      {"pump-*", "fan-7", "enrollment.name"},
      {"*-pump", "a-pump", "assigned"},
  };
  for (const auto& row : rows) {
    make_group("plant", row.naming, {&world_.tpm_b.ek()});
    EXPECT_EQ(come(world_.device(world_.tpm_b, row.id)), row.outcome) << row.naming << " " << row.id;
    EXPECT_EQ(come(world_.device(world_.tpm_a, row.id)), "enrollment.unknown") << "not listed: " << row.id;
    ASSERT_EQ(operator_.remove(kGroupsPath + "/plant").status, 204);
  }
  for (const auto& told : world_.server.told_to_devices())
    EXPECT_THAT(told, AllOf(Not(HasSubstr("pump-*")), Not(HasSubstr("{ek"))));
}

TEST_F(DeviceGroupsTest, AChallengeOpensNothingUnderAnIdThatTheGroupNoLongerGives) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  const auto token = b_.sign(b_.get_challenge().value());
  const auto put = [&](const std::string& naming) {
    return operator_.put(kGroupsPath + "/plant", test::tpm_group("plant", naming)).status;
  };
  ASSERT_EQ(put("fan-*"), 200);
  EXPECT_EQ(member(b_.ask(b_.register_request(token)), "info.code"), "enrollment.name");
  EXPECT_EQ(member(b_.ask(b_.lookup_request(token)), "info.code"), "enrollment.name");
  // Another change of the group costs nobody his challenge.
  ASSERT_EQ(put("pump-{ek:8}"), 200);
  ASSERT_EQ(put("*-1"), 200);
  EXPECT_TRUE(b_.open_operation(token));
}

TEST_F(DeviceGroupsTest, AnEkIsInOneGroupAndComesUnderItsNaming) {
  make_group("plant", "pump-*", {&world_.tpm_a.ek()});
  make_group("roof", "fan-*", {&world_.tpm_b.ek()});
  EXPECT_EQ(come(b_), "enrollment.name");
  EXPECT_EQ(member(operator_.post(kGroupsPath + "/plant/eks", test::ek_list({&world_.tpm_b.ek()})), "code"),
            "group.ek_elsewhere");
  EXPECT_EQ(come(world_.device(world_.tpm_b, "fan-1")), "assigned");
}

TEST_F(DeviceGroupsTest, TheAuditLogNamesAnEkThatWasAddedAndNoneThatWasThere) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  ASSERT_EQ(operator_.post(kGroupsPath + "/plant/eks", test::ek_list({&world_.tpm_b.ek(), &world_.tpm_a.ek()})).status,
            200);
  for (const auto* ek : {&world_.tpm_a.ek(), &world_.tpm_b.ek()})
    EXPECT_THAT(world_.stored(), HasSubstr(fmt::format(R"({{"added":1,"first":"{}"}})", ek->name().text())));
}

TEST_F(DeviceGroupsTest, ATpmThatComesUnderASecondIdIsRefusedAndAnOperatorIsTold) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  ASSERT_EQ(come(b_), "assigned");
  EXPECT_EQ(come(world_.device(world_.tpm_b, "pump-2")), "enrollment.bound");
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"ek.duplicate")"), HasSubstr(R"("registration_id":"pump-2")"),
                              HasSubstr(R"("subject":"pump-1")")));
  EXPECT_THAT(world_.stored(), HasSubstr("device:pump-2 enrollment.refuse registration:pump-2"));
  EXPECT_THAT(world_.stored(), HasSubstr(R"("bound_to":"pump-1")"));
  EXPECT_EQ(operator_.get("/api/v1/devices/pump-2").status, 404);
  EXPECT_THAT(world_.server.told_to_devices().back(), Not(HasSubstr("pump-1")));
  EXPECT_EQ(come(b_), "assigned");
}

TEST_F(DeviceGroupsTest, AnIdMovesToAnotherTpmOnlyAfterApproval) {
  make_group("plant", "pump-*", {&world_.tpm_a.ek(), &world_.tpm_b.ek()});
  ASSERT_EQ(come(a_), "assigned");
  const auto hub_key = world_.stored_hub_key("pump-1");
  EXPECT_EQ(come(b_), "waits");
  EXPECT_THAT(approvals(), HasSubstr(world_.tpm_b.ek().name().text()));
  EXPECT_EQ(to_hex(world_.stored_hub_key("pump-1").reveal()), to_hex(hub_key.reveal())) << "it goes on meanwhile";
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(come(b_), "assigned");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "ek_name"), world_.tpm_b.ek().name().text());
  EXPECT_EQ(come(a_), "waits") << "now it is the other one's";
  EXPECT_EQ(come(world_.device(world_.tpm_a, "pump-2")), "assigned") << "it is free";
}

TEST_F(DeviceGroupsTest, AnIdOfAnotherGroupsDeviceMovesOnlyAfterApprovalToo) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  make_group("field", "*", {&world_.tpm_a.ek()});
  ASSERT_EQ(come(b_), "assigned");
  EXPECT_EQ(come(a_), "waits");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "ek_name"), world_.tpm_b.ek().name().text());
  const auto lamp = key_device("lamp-1", make_key_group("lamps"), "lamp-1");
  ASSERT_EQ(lamp.provision().status, 200);
  EXPECT_EQ(come(world_.device(world_.tpm_a, "lamp-1")), "waits") << "a device without a TPM";
  EXPECT_EQ(member(operator_.get("/api/v1/devices/lamp-1"), "attestation_type"), "symmetric-key");
  ASSERT_EQ(operator_.remove(kGroupsPath + "/plant").status, 204);
  EXPECT_EQ(come(a_), "assigned") << "its group is gone";
}

// A naming with "*" lets every TPM of the group name every ID. That must neither end what another has begun nor hide
// it.
TEST_F(DeviceGroupsTest, ASecondTpmDoesNotTakeThePlaceOfTheOneThatWaits) {
  make_group("plant", "*", {&world_.tpm_a.ek(), &world_.tpm_b.ek(), &third_tpm_.ek()});
  ASSERT_EQ(come(a_), "assigned");
  const auto token = b_.sign(b_.get_challenge().value());
  const auto operation = b_.open_operation(token).value();
  const auto wish = approvals();
  ASSERT_THAT(wish, HasSubstr(world_.tpm_b.ek().name().text()));

  const auto again = third_.sign(third_.get_challenge().value());
  const auto refused = third_.ask(third_.register_request(again));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(member(refused, "info.stage"), "approval");
  EXPECT_EQ(member(refused, "info.code"), "approval.pending");
  EXPECT_EQ(approvals(), wish);
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"ek.contended")"), HasSubstr(third_tpm_.ek().name().text()),
                              HasSubstr(R"("count":1)")));
  EXPECT_EQ(member(third_.ask(third_.register_request(again)), "info.code"), "challenge.unknown");
  EXPECT_THAT(alerts(), HasSubstr(R"("count":1)")) << "the same proof again tells nothing new";
  EXPECT_EQ(b_.ask(b_.poll_request(operation, token)).status, 202) << "it waits on";
  EXPECT_EQ(come(a_), "assigned") << "whose ID it is";
  EXPECT_EQ(approvals(), wish);
  EXPECT_EQ(b_.ask(b_.poll_request(operation, token)).status, 202) << "and its coming ends no wish";

  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(come(third_), "approval.pending") << "approved, and not assigned yet";
  EXPECT_EQ(b_.ask(b_.poll_request(operation, token)).status, 202);
  EXPECT_EQ(b_.ask(b_.poll_request(operation, token)).status, 200);
  EXPECT_EQ(come(third_), "waits") << "its turn";
}

TEST_F(DeviceGroupsTest, ATpmThatWaitsEndsNoOperationOfTheOneWhoseIdItIs) {
  make_group("plant", "*", {&world_.tpm_a.ek(), &world_.tpm_b.ek()});
  ASSERT_EQ(come(a_), "assigned");
  const auto token = a_.sign(a_.get_challenge().value());
  const auto operation = a_.open_operation(token).value();
  EXPECT_EQ(come(b_), "waits");
  EXPECT_EQ(member(a_.ask(a_.register_request(token)), "operationId"), operation)
      << "asked once more, it is open still";
  EXPECT_EQ(a_.ask(a_.poll_request(operation, token)).status, 200);
}

TEST_F(DeviceGroupsTest, AWishOfATpmThatMayNotComeAnyMoreStandsInNobodysWay) {
  make_group("plant", "*", {&world_.tpm_a.ek(), &world_.tpm_b.ek(), &third_tpm_.ek()});
  ASSERT_EQ(come(a_), "assigned");
  ASSERT_EQ(come(b_), "waits");
  ASSERT_EQ(operator_.remove(kGroupsPath + "/plant/eks/" + world_.tpm_b.ek().name().text()).status, 204);
  EXPECT_EQ(come(third_), "waits");
  EXPECT_THAT(approvals(),
              AllOf(HasSubstr(third_tpm_.ek().name().text()), Not(HasSubstr(world_.tpm_b.ek().name().text()))));
}

TEST_F(DeviceGroupsTest, ATpmRefusedUnderASecondIdIsWrittenDownOnceForEachProof) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  ASSERT_EQ(come(b_), "assigned");
  const auto second = world_.device(world_.tpm_b, "pump-2");
  const auto token = second.sign(second.get_challenge().value());
  EXPECT_EQ(member(second.ask(second.register_request(token)), "info.code"), "enrollment.bound");
  const auto stored = world_.stored();
  EXPECT_EQ(member(second.ask(second.register_request(token)), "info.code"), "challenge.unknown");
  EXPECT_EQ(world_.stored(), stored);
  EXPECT_THAT(alerts(), HasSubstr(R"("count":1)"));
}

TEST_F(DeviceGroupsTest, AnIdThatIsBoundToATpmGoesToNoCertificateAndNoKeyOfAGroup) {
  make_group("plant", "*", {&world_.tpm_a.ek()});
  ASSERT_EQ(come(a_), "assigned");
  const auto hub_key = to_hex(world_.stored_hub_key("pump-1").reveal());
  const auto impostor = key_device("pump-1", make_key_group("lamps"), "pump-1");
  EXPECT_EQ(impostor.ask_to_register(impostor.sign()).status, 403);
  EXPECT_EQ(member(impostor.ask_to_register(impostor.sign()), "info.code"), "enrollment.id_bound");
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"ek.bound")"), HasSubstr(world_.tpm_a.ek().name().text()),
                              HasSubstr(R"("count":1)")));
  const auto stored = world_.stored();
  const auto first = stored.find("enrollment.id_bound");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(stored.find("enrollment.id_bound", first + 1), std::string::npos) << "told once";
  const auto acknowledged = operator_.post(
      "/api/v1/alerts/acknowledge", fmt::format(R"({{"registration_id":"pump-1","kind":"ek.bound","subject":"{}"}})",
                                                world_.tpm_a.ek().name().text()));
  ASSERT_EQ(acknowledged.status, 204) << acknowledged.body;
  EXPECT_EQ(member(impostor.ask_to_register(impostor.sign()), "info.code"), "enrollment.id_bound");
  EXPECT_THAT(alerts(), HasSubstr(R"("count":2)")) << "and again when an operator has looked at it";
  EXPECT_THAT(world_.server.told_to_devices().back(), Not(HasSubstr(world_.tpm_a.ek().name().text())));
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "attestation_type"), "tpm");
  EXPECT_EQ(to_hex(world_.stored_hub_key("pump-1").reveal()), hub_key);
  EXPECT_EQ(come(a_), "assigned");

  ASSERT_EQ(operator_.remove(kGroupsPath + "/plant/eks/" + world_.tpm_a.ek().name().text()).status, 204);
  EXPECT_EQ(impostor.provision().status, 200) << "its operator took the EK off the list";
}

TEST_F(DeviceGroupsTest, AnApprovedDeviceOfAnOldSdkKeepsItsHub) {
  put_group("plant", test::tpm_group("plant", "*", R"(,"hubs":["a.example"],"approve_srk_changes":true)"));
  ASSERT_EQ(operator_.post(kGroupsPath + "/plant/eks", test::ek_list({&world_.tpm_a.ek()})).status, 200);
  ASSERT_EQ(come(a_), "assigned");
  put_group("plant", test::tpm_group("plant", "*", R"(,"hubs":["b.example"],"approve_srk_changes":true)"));
  world_.clock.advance(std::chrono::seconds(1));
  const auto cleared = world_.device(world_.tpm_a_cleared, "pump-1");
  const auto token = cleared.sign(cleared.get_challenge().value());
  const auto operation = cleared.open_operation(token).value();
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  auto poll = cleared.poll_request(operation, token);
  const auto version = poll.target.find("2019-03-31");
  ASSERT_NE(version, std::string::npos) << poll.target;
  poll.target.replace(version, 10, "2018-04-01");
  EXPECT_EQ(cleared.ask(poll).status, 202);
  const auto assigned = cleared.ask(poll);
  ASSERT_EQ(assigned.status, 200) << assigned.body;
  EXPECT_EQ(member(assigned, "registrationState.assignedHub"), "a.example");
}

TEST_F(DeviceGroupsTest, WhatWaitedIsRefusedIfItsTpmCameUnderAnotherIdMeanwhile) {
  make_group("plant", "pump-*", {&world_.tpm_a.ek(), &world_.tpm_b.ek()});
  ASSERT_EQ(come(a_), "assigned");
  const auto token = b_.sign(b_.get_challenge().value());
  const auto operation = b_.open_operation(token).value();
  ASSERT_EQ(come(world_.device(world_.tpm_b, "pump-2")), "assigned");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(member(b_.ask(b_.poll_request(operation, token)), "info.code"), "enrollment.bound");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "ek_name"), world_.tpm_a.ek().name().text());
  EXPECT_THAT(alerts(), HasSubstr(R"("subject":"pump-2")"));
  const auto stored = world_.stored();
  EXPECT_EQ(member(b_.ask(b_.poll_request(operation, token)), "info.code"), "operation.superseded");
  EXPECT_EQ(world_.stored(), stored) << "told once";
  EXPECT_EQ(member(operator_.get("/api/v1/approvals"), "items"), "[]");
  EXPECT_EQ(come(a_), "assigned");
}

TEST_F(DeviceGroupsTest, AnEkThatIsTakenOffTheListTakesWithItWhatItsDeviceWasGiven) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  const auto token = b_.sign(b_.get_challenge().value());
  const auto operation = b_.open_operation(token).value();
  const auto live = b_.sign(b_.get_challenge().value());
  ASSERT_EQ(hub_key_code("pump-1"), "absent");
  ASSERT_EQ(operator_.remove(kGroupsPath + "/plant/eks/" + world_.tpm_b.ek().name().text()).status, 204);
  const auto expect_void = [&](const std::string& when) {
    EXPECT_EQ(hub_key_code("pump-1"), "device.credentials_revoked") << when;
    EXPECT_EQ(member(b_.ask(b_.poll_request(operation, token)), "info.code"), "operation.superseded") << when;
  };
  expect_void("taken off");
  EXPECT_EQ(come(b_), "enrollment.unknown");
  EXPECT_EQ(member(b_.ask(b_.register_request(live)), "info.code"), "enrollment.unknown");
  EXPECT_EQ(member(b_.ask(b_.lookup_request(live)), "info.code"), "enrollment.unknown");
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  expect_void("listed again");
  EXPECT_EQ(come(b_), "assigned");
  EXPECT_EQ(hub_key_code("pump-1"), "absent");
}

TEST_F(DeviceGroupsTest, AGroupThatIsMadeAnewIsAnotherOne) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  const auto token = b_.sign(b_.get_challenge().value());
  const auto operation = b_.open_operation(token).value();
  const auto live = b_.sign(b_.get_challenge().value());
  ASSERT_EQ(operator_.remove(kGroupsPath + "/plant").status, 204);
  EXPECT_EQ(hub_key_code("pump-1"), "device.credentials_revoked");
  EXPECT_EQ(member(b_.ask(b_.poll_request(operation, token)), "info.code"), "enrollment.unknown");
  EXPECT_EQ(member(b_.ask(b_.register_request(live)), "info.code"), "enrollment.unknown");
  put_group("plant", test::tpm_group("plant", "pump-*"));
  EXPECT_EQ(come(b_), "enrollment.unknown") << "the old list is not the new group's";
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  EXPECT_EQ(hub_key_code("pump-1"), "device.credentials_revoked");
  EXPECT_EQ(member(b_.ask(b_.register_request(live)), "info.code"), "challenge.unknown");
  EXPECT_EQ(member(b_.ask(b_.lookup_request(live)), "info.code"), "challenge.unknown");
  EXPECT_NE(b_.ask(b_.poll_request(operation, token)).status, 200);
  EXPECT_EQ(come(b_), "assigned");
}

TEST_F(DeviceGroupsTest, AnEnrollmentOfItsOwnTakesPrecedenceAndKeepsADeviceOut) {
  make_group("plant", "pump-*", {&world_.tpm_b.ek()});
  const auto token = b_.sign(b_.get_challenge().value());
  const auto operation = b_.open_operation(token).value();
  ASSERT_TRUE(b_.collect(operation, token));
  const auto live = b_.sign(b_.get_challenge().value());
  const auto put = operator_.put("/api/v1/enrollments/pump-1",
                                 test::tpm_enrollment("pump-1", world_.tpm_b.ek(), R"(,"enabled":false)"));
  ASSERT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(member(b_.ask(b_.register_request(live)), "info.code"), "challenge.unknown") << "of the group";
  EXPECT_EQ(come(b_), "enrollment.disabled");
  EXPECT_EQ(hub_key_code("pump-1"), "device.credentials_revoked");
  ASSERT_EQ(operator_.remove("/api/v1/enrollments/pump-1").status, 204);
  EXPECT_EQ(hub_key_code("pump-1"), "device.credentials_revoked") << "until it comes again";
  EXPECT_EQ(member(b_.ask(b_.poll_request(operation, token)), "info.code"), "operation.superseded");
  EXPECT_EQ(come(b_), "assigned");
}

TEST_F(DeviceGroupsTest, TakesTheKeyThatIsDerivedForTheIdInEitherSpelling) {
  const auto key = make_key_group("lamps");
  const auto lamp = key_device("Lamp-1", key, "Lamp-1");
  EXPECT_EQ(lamp.provision().status, 200);
  const auto assigned = key_device("Lamp-1", key, "lamp-1").provision();
  EXPECT_EQ(assigned.status, 200) << assigned.body;
  EXPECT_EQ(member(assigned, "registrationState.symmetricKey.enrollmentGroupId"), "lamps");
  // The hub knows it by the key that it has, and not by that of another spelling.
  const auto expect_hub_key = [&](const std::string& spelling) {
    const auto own = provisioning::derive_device_key(SecretBytes(from_base64(key).value()), spelling);
    EXPECT_EQ(member(operator_.get("/api/v1/devices/lamp-1/hub-key"), "primary_key"), to_base64(own.reveal()))
        << spelling;
  };
  expect_hub_key("lamp-1");
  world_.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(lamp.provision().status, 200);
  expect_hub_key("Lamp-1");
  const auto before = world_.stored();
  for (const auto& other : {key_device("lamp-2", key, "lamp-1"), key_device("lamp-1", make_key_group("x"), "lamp-2")})
    EXPECT_EQ(member(other.provision(), "info.code"), "token.signature");
  const test::PlainDevice with_group_key =
      test::PlainDevice(world_.server, world_.clock, "lamp-1").with_key(from_base64(key).value());
  EXPECT_EQ(member(with_group_key.provision(), "info.code"), "token.signature");
  ASSERT_EQ(operator_.remove(kGroupsPath + "/x").status, 204);
  EXPECT_NE(before, world_.stored());  // the group x came and went; no device did
  EXPECT_EQ(operator_.get("/api/v1/devices/lamp-2").status, 404);
}

TEST_F(DeviceGroupsTest, AKeyGroupThatIsChangedOrGoneKeepsItsDevicesOut) {
  const auto key = make_key_group("lamps");
  const auto lamp = key_device("lamp-1", key, "lamp-1");
  const auto token = lamp.sign();
  const auto operation = member(lamp.ask_to_register(token), "operationId");
  ASSERT_EQ(operator_.put("/api/v1/enrollments/lamp-1", test::key_enrollment("lamp-1", R"(,"enabled":false)")).status,
            201);
  EXPECT_EQ(member(lamp.provision(), "info.code"), "token.signature") << "the group's key is not its own";
  EXPECT_NE(lamp.poll(operation, token).status, 200);
  EXPECT_EQ(hub_key_code("lamp-1"), "device.credentials_revoked");
  ASSERT_EQ(operator_.remove("/api/v1/enrollments/lamp-1").status, 204);
  EXPECT_EQ(lamp.provision().status, 200);

  const std::string fresh = to_base64(Bytes(32, 0x44));
  put_group("lamps", fmt::format(R"({{"group_id":"lamps","attestation":{{"type":"symmetric-key","symmetric_key":)"
                                 R"({{"primary_key":"{}","secondary_key":"{}"}}}}}})",
                                 fresh, fresh));
  EXPECT_EQ(member(lamp.provision(), "info.code"), "token.signature") << "of the old key";
  const auto renewed = key_device("lamp-1", fresh, "lamp-1");
  const auto last = renewed.sign();
  const auto open = member(renewed.ask_to_register(last), "operationId");
  ASSERT_EQ(operator_.remove(kGroupsPath + "/lamps").status, 204);
  EXPECT_EQ(renewed.ask_to_register(last).status, 401);
  EXPECT_NE(renewed.poll(open, last).status, 200);
  EXPECT_EQ(hub_key_code("lamp-1"), "device.credentials_revoked");
}

}  // namespace
}  // namespace warifu::front::dps

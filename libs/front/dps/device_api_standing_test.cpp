// What stands for a TPM of a group when it counts: that it was taken off, what it waited for, whose device there is.
#include <gmock/gmock.h>

#include <functional>

#include "front/dps/authorities_fixture_test.h"

namespace warifu::front::dps {
namespace {

using test::member;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class DeviceStandingTest : public DeviceAuthoritiesTest {
 protected:
  World::TestDevice certified_rival(const std::string& id = "pump-1") {
    return world_.device(world_.tpm_a, id).with_certificate(maker_.certify(world_.tpm_a.ek()));
  }
  void take_off() { ASSERT_EQ(operator_.remove(ek_path("plant", ek_)).status, 204); }
  void allow() { ASSERT_EQ(operator_.post(ek_path("plant", ek_) + "/allow").status, 204); }
  void hold_device(const std::string& id) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY(auto device, t.provisioning().find_device(test::scope_id(), DeviceId::parse(id).value()));
      device->standing.hold = lifecycle::Hold::kSuspended;
      TRY_STATUS(t.provisioning().put_device(*device));
      return t.audit().record(test::scope_id(), {"test", "device.standing", "device:" + id});
    }));
  }
};

TEST_F(DeviceStandingTest, AnEkThatIsTakenOffIsKeptOutUntilItIsAllowedAgain) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  make_group("roof", {maker_.ca()}, "*");
  ASSERT_EQ(come(certified_pump()), "assigned");
  ASSERT_EQ(group_of("pump-1"), "plant");
  const auto token = certified_pump().sign(certified_pump().get_challenge().value());
  take_off();
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1/hub-key"), "code"), "device.credentials_revoked");
  EXPECT_EQ(member(certified_pump().ask(certified_pump().register_request(token)), "info.code"),
            "enrollment.ek_barred");
  for (const std::string id : {"pump-1", "pump-2", "fan-1"}) {
    EXPECT_EQ(come(certified_pump(id)), "enrollment.ek_barred") << id;
    EXPECT_EQ(attesting_refusal(pump(id)), "enrollment.ek_barred") << id;
  }
  EXPECT_THAT(eks_of("plant"), AllOf(HasSubstr(R"("registration_id":"pump-1")"), HasSubstr(R"("is_barred":true)")));
  EXPECT_THAT(world_.stored(), HasSubstr(R"("registration_id":"pump-1","barred":true)"));
  EXPECT_THAT(explained("pump-1"), HasSubstr("allow-ek"));
  EXPECT_EQ(come(certified_rival()), "waits") << "its ID is no other's";
  ASSERT_EQ(operator_.decide("reject", "pump-1").status, 204);
  EXPECT_EQ(operator_.remove(ek_path("plant", ek_)).status, 204) << "already";
  EXPECT_EQ(come(certified_pump()), "enrollment.ek_barred");

  allow();
  EXPECT_THAT(world_.stored(), HasSubstr("enrollment-group.allow-ek enrollment-group:plant"));
  EXPECT_THAT(eks_of("plant"), Not(HasSubstr(ek_.name().text())));
  EXPECT_EQ(come(certified_pump("pump-2")), "assigned") << "as a new one";
  EXPECT_EQ(operator_.post(ek_path("plant", ek_) + "/allow").status, 204) << "nothing keeps it out";
  EXPECT_EQ(come(certified_pump("pump-2")), "assigned");
  EXPECT_EQ(member(operator_.post(kGroupsOfAll + "/plant/eks/000b" + std::string(64, '0') + "/allow"), "code"),
            "group.ek_unknown");
}

TEST_F(DeviceStandingTest, TheIdOfAnEkThatWasTakenOffMovesByAnApproval) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  ASSERT_EQ(come(certified_pump()), "assigned");
  take_off();
  ASSERT_EQ(come(certified_rival()), "waits");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(poll_until_assigned(certified_rival()), "assigned");
  EXPECT_EQ(come(certified_pump()), "enrollment.ek_barred") << "it stays out without an ID";
}

TEST_F(DeviceStandingTest, AnEkThatIsTakenOffTakesItsApprovalAlong) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true, kDemands);
  ASSERT_EQ(come(pump()), "waits");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  take_off();
  EXPECT_EQ(approvals(), "[]");
  EXPECT_THAT(eks_of("plant"), HasSubstr(R"("is_approved":false)"));
  EXPECT_EQ(poll(pump()), "operation.superseded");
  make_group("plant", {maker_.root()}, "pump-*", true);
  EXPECT_EQ(poll(pump()), "operation.superseded");
  EXPECT_EQ(come(pump()), "enrollment.ek_barred");
  allow();
  EXPECT_EQ(poll(pump()), "operation.superseded") << "it ended when it was taken off";
  EXPECT_EQ(come(pump()), "waits") << "nobody agreed to it since";
}

TEST_F(DeviceStandingTest, WhatAnEkThatIsTakenOffWaitsForEnds) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", false, kDemands);
  ASSERT_EQ(come(certified_pump()), "waits") << "for its attestation: the EK is bound to no ID yet";
  take_off();
  allow();
  make_group("plant", {maker_.root()});
  EXPECT_EQ(poll(pump()), "operation.superseded");
  ASSERT_EQ(come(certified_rival()), "assigned");
  ASSERT_EQ(come(certified_pump()), "waits") << "for an approval";
  take_off();
  EXPECT_EQ(approvals(), "[]");
  EXPECT_EQ(poll(pump()), "operation.superseded");
}

TEST_F(DeviceStandingTest, AnApprovalIsOfOneGenerationAndOneQuestion) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(pump()), "waits");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  ASSERT_EQ(operator_.remove(kGroupsOfAll + "/plant").status, 204);
  EXPECT_EQ(approvals(), "[]") << "it went with its group";
  make_group("plant", {maker_.root()}, "pump-*", true, R"(,"approve_srk_changes":true)");
  EXPECT_EQ(come(pump()), "waits");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  put_group("plant", test::tpm_group("plant", "pump-*"));
  EXPECT_EQ(approvals(), "[]") << "another kind is another generation";

  // He agreed to another SRK, and not to a TPM without a certificate.
  make_group("plant", {maker_.root()}, "fan-*", true, R"(,"approve_srk_changes":true)");
  ASSERT_EQ(come(certified_rival("fan-1")), "assigned");
  const auto cleared = world_.device(world_.tpm_a_cleared, "fan-1");
  ASSERT_EQ(come(cleared.with_certificate(maker_.certify(world_.tpm_a.ek()))), "waits");
  ASSERT_EQ(operator_.decide("approve", "fan-1").status, 200);
  EXPECT_EQ(come(cleared), "waits");
  EXPECT_THAT(approvals(), AllOf(HasSubstr(R"("approved_at":null)"), HasSubstr(R"("is_uncertified":true)")));
  EXPECT_EQ(poll(cleared), "waits");
}

TEST_F(DeviceStandingTest, WhoWaitedIsJudgedByWhatStandsThen) {
  import({maker_.root(), maker_.ca(), other_.root()});
  const auto demand_nothing = [&] { make_group("plant", {maker_.root()}); };
  const struct {
    std::string what;
    std::function<void()> change;
    std::string told;
  } rows[] = {
      {"nothing", demand_nothing, "assigned"},
      {"another naming", [&] { make_group("plant", {maker_.root()}, "fan-*"); }, "enrollment.name"},
      {"other authorities", [&] { make_group("plant", {other_.root()}); }, kRefused},
      {"other authorities, and operators decide", [&] { make_group("plant", {other_.root()}, "pump-*", true); },
       kRefused},
      {"a CRL",
       [&] {
         demand_nothing();
         const auto crl = fmt::format(R"({{"crls":["{}"]}})", to_base64(maker_.crl(7)));
         ASSERT_EQ(operator_.post("/api/v1/ek-crls", crl).status, 200);
       },
       kRefused},
  };
  for (const auto& [what, change, told] : rows) {
    make_group("plant", {maker_.root()}, "pump-*", false, kDemands);
    ASSERT_EQ(come(certified_pump()), "waits") << what;
    change();
    EXPECT_EQ(poll_until_assigned(pump()), told) << what;
    ASSERT_EQ(operator_.remove(kGroupsOfAll + "/plant").status, 204);
  }
  make_group("plant", {maker_.root()}, "pump-*", false, kDemands);
  const auto eighth = pump().with_certificate(maker_.certify(ek_, 8));
  ASSERT_EQ(come(eighth), "waits");
  demand_nothing();
  distrust(maker_.ca());
  const auto before = world_.stored();
  EXPECT_EQ(poll(pump()), kRefused);
  EXPECT_EQ(world_.stored(), before);
  ASSERT_EQ(operator_.post("/api/v1/ek-roots/" + fingerprint_of(maker_.ca()) + "/trust").status, 200);
  EXPECT_EQ(poll_until_assigned(pump()), "assigned");
}

// A list needs no certificate, and its naming counts the same.
TEST_F(DeviceStandingTest, WhoWaitedOfAListIsJudgedByItsNaming) {
  put_group("plant", test::tpm_group("plant", "pump-*", kDemands));
  ASSERT_EQ(operator_.post(kGroupsOfAll + "/plant/eks", test::ek_list({&ek_})).status, 200);
  ASSERT_EQ(come(pump()), "waits");
  put_group("plant", test::tpm_group("plant", "fan-*"));
  EXPECT_EQ(poll(pump()), "enrollment.name");
  put_group("plant", test::tpm_group("plant", "*-1"));
  EXPECT_EQ(poll_until_assigned(pump()), "assigned");
}

TEST_F(DeviceStandingTest, AChangeBetweenTheJudgementAndTheAssignmentIsSeen) {
  import({maker_.root(), maker_.ca(), other_.root()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(pump()), "waits");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  provisioning::Claim claim{test::scope_id(), RegistrationId::parse("pump-1").value(), "pump-1", {}, {}, {}, false};
  claim.token = provisioning::parse_sas_token(last_.token).value();
  auto& registrar = world_.server.registrar;
  std::optional<provisioning::Progress> read;
  test::must(world_.store->read([&](store::Snapshot& s) -> Status {
    provisioning::NoEndorsements none;
    TRY(read, registrar.progress(s.provisioning(), claim, Uuid::parse(last_.operation).value(), none));
    return {};
  }));
  const auto proven = std::get<provisioning::Waiting>(*read).proven;
  ASSERT_TRUE(proven);
  make_group("plant", {other_.root()}, "fan-*", true);
  const auto resumed = world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(registrar.resume(t.provisioning(), t.audit(), *proven));
    return {};
  });
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().code, "enrollment.changed");
  EXPECT_EQ(operator_.get("/api/v1/devices/pump-1").status, 404);
}

TEST_F(DeviceStandingTest, WhatIsTakenOffBetweenTheProofAndTheChangeOpensNothing) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(pump()), "waits");
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  ASSERT_EQ(poll_until_assigned(pump()), "assigned");
  provisioning::Claim claim{test::scope_id(), RegistrationId::parse("pump-1").value(), "pump-1", {}, {}, {}, false};
  const std::string token = pump().sign(pump().get_challenge().value());
  claim.token = provisioning::parse_sas_token(token).value();
  auto& registrar = world_.server.registrar;
  std::optional<provisioning::ProvenDevice> proven;
  test::must(world_.store->read([&](store::Snapshot& s) -> Status {
    provisioning::NoEndorsements none;
    TRY(proven, registrar.verify(s.provisioning(), claim, none));
    return {};
  }));
  const auto open = [&] {
    const auto opened = world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(registrar.open_operation(t.provisioning(), t.audit(), *proven));
      return {};
    });
    return opened ? "" : std::string(opened.error().code);
  };
  take_off();
  const auto before = world_.stored();
  EXPECT_EQ(open(), "enrollment.ek_barred");
  EXPECT_EQ(world_.stored(), before);
  allow();
  EXPECT_EQ(open(), "enrollment.unknown") << "it was proved as one that was approved";
}

TEST_F(DeviceStandingTest, ATpmOfTheMakerLearnsNothingOfAnotherDevice) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  ASSERT_EQ(come(certified_pump()), "assigned");
  const auto look_up = [&](const World::TestDevice& device) {
    const auto token = device.sign(device.get_challenge().value());
    return device.ask(device.lookup_request(token));
  };
  EXPECT_EQ(look_up(certified_pump()).status, 200);
  EXPECT_EQ(member(look_up(certified_rival()), "info.code"), "device.unknown");
  hold_device("pump-1");
  EXPECT_EQ(member(certified_pump().ask(certified_pump().register_request()), "info.code"), "device.hold");
  EXPECT_EQ(member(look_up(certified_rival()), "info.code"), "device.unknown") << "and nothing of its hold";
  make_group("plant", {maker_.root()}, "pump-*", true);
  EXPECT_EQ(come(world_.device(world_.tpm_a, "pump-1")), "enrollment.id_bound") << "whom nobody vouches for neither";
}

}  // namespace
}  // namespace warifu::front::dps

// Devices that have to attest before they are assigned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_attested.h"
#include "front/test_world.h"
#include "provisioning/attestation_demand.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using attestation::Tier;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

// What a verifier would have kept, by default a good one of the device's own AK.
struct Attested {
  Tier overall = Tier::kAffirming;
  std::uint8_t of_ak = test::kAk;
  std::uint8_t bound_ak = test::kAk;
  const sim::SoftwareTpm* tpm = nullptr;  // whose EK the AK is bound to; null: the first
  std::string id = "meter-1";
  seconds interval{60};
  std::optional<verifier::AppliedPolicy> policy = {};
  std::string configuration = "affirming";  // by an enforced policy
};

class DeviceAttestationTest : public ::testing::Test {
 protected:
  ~DeviceAttestationTest() override { EXPECT_FALSE(world_.told_an_endorsement_key()); }

  void demand(const std::string& tier, const std::string& more = {}) {
    const auto put = operator_.put(
        "/api/v1/enrollments/meter-1",
        test::tpm_enrollment("meter-1", world_.tpm_a.ek(), fmt::format(R"(,"required_attestation":{}{})", tier, more)));
    ASSERT_EQ(put.status, 200) << put.body;
  }
  void attest(const Attested& what) {
    world_.clock.advance(seconds(1));
    const auto id = RegistrationId::parse(what.id).value();
    const auto& ek = (what.tpm == nullptr ? world_.tpm_a : *what.tpm).ek();
    const Timestamp now = world_.clock.now();
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(test::put_attested(
          t, ek,
          {.scope = test::scope_id(),
           .registration_id = id,
           .ak_name = Bytes(34, what.of_ak),
           .overall = what.overall,
           .result = fmt::format(R"({{"layers":{{"boot":"warning","configuration":"{}"}},)"
                                 R"("findings":[{{"tier":"warning","code":"boot.odd","what":"an odd boot"}}]}})",
                                 what.configuration),
           .policy = what.policy,
           .attested_at = now,
           .next_due_at = now + what.interval},
          what.bound_ak));
      return t.audit().record(test::scope_id(), {"device:" + what.id, "attestation.record", what.id});
    }));
  }
  struct Opened {
    std::string operation;
    std::string token;
  };
  Opened open(const World::TestDevice& device) {
    world_.clock.advance(seconds(1));
    const auto token = device.sign(device.get_challenge().value());
    auto operation = device.open_operation(token);
    EXPECT_TRUE(operation) << to_string(operation.error());
    return {operation.value_or(""), token};
  }
  net::HttpResponse poll(const World::TestDevice& device, const Opened& opened) {
    return device.ask(device.poll_request(opened.operation, opened.token));
  }
  // "assigned", or the code of what it waits for or was refused for.
  std::string told(const World::TestDevice& device, const Opened& opened) {
    const auto answer = poll(device, opened);
    if (answer.status == 200) return member(answer, "status");
    EXPECT_EQ(member(answer, "registrationState.tpm"), "absent") << answer.body;
    return member(answer, "info.code");
  }
  std::string come(const World::TestDevice& device) { return told(device, open(device)); }
  std::string verdict(const std::string& id = "meter-1") {
    return member(operator_.get("/api/v1/registrations/" + id + "/explanation"), "verdict");
  }
  std::string alerts() { return operator_.get("/api/v1/alerts").body; }

  World world_;
  const test::Operator operator_{world_.server};
  const World::TestDevice& meter_ = world_.meter;
};

TEST_F(DeviceAttestationTest, WaitsUntilItAttestedAndGetsNoHubKeyBefore) {
  demand("\"affirming\"");
  const auto opened = open(meter_);
  for (int i = 0; i < 2; ++i) {
    const auto waits = poll(meter_, opened);
    EXPECT_EQ(waits.status, 202);
    EXPECT_EQ(member(waits, "status"), "assigning");
    EXPECT_EQ(member(waits, "registrationState.registrationId"), "meter-1");
    EXPECT_EQ(member(waits, "registrationState.status"), "assigning");
    EXPECT_EQ(member(waits, "registrationState.tpm"), "absent");
    EXPECT_EQ(member(waits, "info.stage"), "attestation");
    EXPECT_EQ(member(waits, "info.code"), "attestation.missing");
    EXPECT_EQ(net::find_header(waits.headers, "Retry-After"), "10");
  }
  EXPECT_EQ(operator_.get("/api/v1/devices/meter-1").status, 404) << "no device, and so no hub key";
  EXPECT_EQ(meter_.ask(meter_.lookup_request(opened.token)).status, 401) << "its challenge is used up";
  EXPECT_THAT(world_.stored(), HasSubstr("device:meter-1 attestation.await registration:meter-1"));

  attest({});
  EXPECT_EQ(poll(meter_, opened).status, 202);
  const auto assigned = poll(meter_, opened);
  ASSERT_EQ(assigned.status, 200) << assigned.body;
  EXPECT_EQ(member(assigned, "registrationState.substatus"), "initialAssignment");
  EXPECT_TRUE(meter_.open(assigned, "registrationState.tpm.authenticationKey"));
}

TEST_F(DeviceAttestationTest, IsAssignedAtOnceWhenItHasAttestedOrNothingIsDemanded) {
  demand("null");
  EXPECT_EQ(come(meter_), "assigned");
  demand("\"affirming\"");
  attest({});
  EXPECT_EQ(come(meter_), "assigned");
}

TEST_F(DeviceAttestationTest, IsJudgedByTierKeyTimeAndPolicy) {
  const verifier::AppliedPolicy deleted{"default", Uuid::v7(world_.clock.now(), world_.entropy)};
  const struct {
    std::string demanded;
    Attested attested;
    std::string told;
  } cases[] = {
      {"warning", {.id = "meter-2"}, "attestation.missing"},
      {"affirming", {.overall = Tier::kWarning}, "attestation.insufficient"},
      {"affirming", {.overall = Tier::kNone}, "attestation.insufficient"},
      {"affirming", {.overall = Tier::kContraindicated}, "attestation.insufficient"},
      {"affirming", {.interval = hours(24)}, "assigned"},
      {"warning", {.overall = Tier::kNone, .configuration = "none"}, "attestation.insufficient"},
      {"warning", {.overall = Tier::kWarning, .configuration = "none"}, "attestation.insufficient"},
      {"warning", {.overall = Tier::kContraindicated}, "attestation.insufficient"},
      {"warning", {.of_ak = 0xA2}, "attestation.other-ak"},
      {"warning", {.tpm = &world_.tpm_b}, "attestation.other-ek"},
      {"warning", {.interval = seconds(0)}, "attestation.overdue"},
      {"warning", {.policy = deleted}, "attestation.other-policy"},
      {"warning", {.overall = Tier::kWarning}, "assigned"},
      {"warning", {.overall = Tier::kNone}, "assigned"},
      {"warning", {}, "assigned"},
  };
  for (const auto& [demanded, attested, expected] : cases) {
    demand("\"" + demanded + "\"");
    attest(attested);
    EXPECT_EQ(come(meter_), expected);
    world_.clock.advance(std::chrono::minutes(40));
  }
}

TEST_F(DeviceAttestationTest, AnAttestationIsOverdueByTheIntervalThatStandsNow) {
  demand("\"affirming\"", R"(,"attestation_interval_seconds":10)");
  attest({.interval = seconds(600)});
  world_.clock.advance(seconds(10));
  EXPECT_EQ(come(meter_), "attestation.overdue");
}

TEST_F(DeviceAttestationTest, AnAttestationIsGoodForAssigningForTenMinutes) {
  demand("\"affirming\"");
  attest({.interval = hours(24)});
  const auto opened = open(meter_);
  world_.clock.advance(provisioning::kGoodForAssigning);
  EXPECT_EQ(told(meter_, opened), "assigned") << "it was when it registered";
  attest({.interval = hours(24)});
  world_.clock.advance(provisioning::kGoodForAssigning);
  EXPECT_EQ(come(meter_), "attestation.overdue");
}

TEST_F(DeviceAttestationTest, IsJudgedInTheTransactionThatAssigns) {
  demand("\"affirming\"");
  const auto opened = open(meter_);
  attest({});
  // The attestation turns bad after the poll has read that it is good, and before that poll's change.
  provisioning::Claim claim{test::scope_id(), RegistrationId::parse("meter-1").value(), "meter-1", {}, {}, {}, false};
  claim.token = provisioning::parse_sas_token(opened.token).value();
  std::optional<provisioning::Progress> read;
  test::must(world_.store->read([&](store::Snapshot& s) -> Status {
    provisioning::NoEndorsements none;
    TRY(read, world_.server.registrar.progress(s.provisioning(), claim, Uuid::parse(opened.operation).value(), none));
    return {};
  }));
  const auto& proven = std::get<provisioning::Waiting>(*read).proven;
  ASSERT_TRUE(proven);
  attest({.overall = Tier::kContraindicated});
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.registrar.resume(t.provisioning(), t.audit(), *proven));
    return t.audit().record(test::scope_id(), {"test", "poll", "operation"});
  }));
  EXPECT_EQ(operator_.get("/api/v1/devices/meter-1").status, 404);
  EXPECT_EQ(told(meter_, opened), "attestation.insufficient");
}

TEST_F(DeviceAttestationTest, HasToAttestForEachAssignment) {
  demand("\"affirming\"");
  const auto first = open(meter_);
  attest({.interval = hours(24)});
  EXPECT_EQ(poll(meter_, first).status, 202);
  EXPECT_EQ(told(meter_, first), "assigned");
  const auto hub_key = to_hex(world_.stored_hub_key("meter-1").reveal());

  const auto again = open(meter_);
  EXPECT_EQ(told(meter_, again), "attestation.used") << "the one that was enough for the first is not for the second";
  attest({.overall = Tier::kContraindicated});
  EXPECT_EQ(told(meter_, again), "attestation.insufficient");
  EXPECT_EQ(to_hex(world_.stored_hub_key("meter-1").reveal()), hub_key) << "what it has goes on meanwhile";
  attest({});
  EXPECT_EQ(poll(meter_, again).status, 202);
  EXPECT_EQ(told(meter_, again), "assigned");
  EXPECT_NE(to_hex(world_.stored_hub_key("meter-1").reveal()), hub_key);
}

TEST_F(DeviceAttestationTest, ADemandThatComesOrGoesHoldsAtOnce) {
  demand("\"affirming\"");
  const auto opened = open(meter_);
  EXPECT_EQ(told(meter_, opened), "attestation.missing");
  demand("null");
  EXPECT_EQ(poll(meter_, opened).status, 202);
  EXPECT_EQ(told(meter_, opened), "assigned");
  demand("\"warning\"");
  EXPECT_EQ(come(meter_), "attestation.missing");
}

TEST_F(DeviceAttestationTest, WaitsForTheOperatorFirstAndThenForItself) {
  const std::string both = R"(,"approve_srk_changes":true)";
  demand("null");
  EXPECT_EQ(come(meter_), "assigned");
  demand("\"affirming\"", both);
  const auto cleared = world_.device(world_.tpm_a_cleared, "meter-1");
  const auto opened = open(cleared);
  EXPECT_EQ(told(cleared, opened), "approval.open");
  attest({});
  EXPECT_EQ(told(cleared, opened), "approval.open") << "an attestation is no approval";
  attest({.overall = Tier::kWarning});
  ASSERT_EQ(operator_.decide("approve", "meter-1").status, 200);
  EXPECT_EQ(told(cleared, opened), "attestation.insufficient") << "and an approval no attestation";
  attest({});
  EXPECT_EQ(poll(cleared, opened).status, 202);
  EXPECT_EQ(told(cleared, opened), "assigned");
}

TEST_F(DeviceAttestationTest, AnOperationThatRanOutIsNotAssignedByALateAttestation) {
  demand("\"affirming\"");
  const auto opened = open(meter_);
  world_.clock.advance(hours(1) + seconds(1));
  attest({});
  EXPECT_EQ(told(meter_, opened), "operation.unknown");
  EXPECT_EQ(operator_.get("/api/v1/devices/meter-1").status, 404);
  EXPECT_EQ(come(meter_), "assigned") << "it registers again, and has attested";
}

TEST_F(DeviceAttestationTest, ARegistrationThatIsDisabledMeanwhileIsRefused) {
  demand("\"affirming\"");
  const auto opened = open(meter_);
  attest({});
  demand("\"affirming\"", R"(,"enabled":false)");
  EXPECT_EQ(told(meter_, opened), "enrollment.disabled");
}

TEST_F(DeviceAttestationTest, OperatorsAreToldWhyItWaitsAndWhatToDo) {
  demand("\"affirming\"");
  const auto opened = open(meter_);
  EXPECT_EQ(told(meter_, opened), "attestation.missing");
  EXPECT_THAT(verdict(), AllOf(HasSubstr("demand an attestation of \"affirming\" first"),
                               HasSubstr("has not attested yet"), HasSubstr("warifu-agent")));
  EXPECT_EQ(member(operator_.get("/api/v1/alerts"), "items"), "[]") << "each new device waits for a moment";

  attest({.overall = Tier::kWarning});
  EXPECT_EQ(told(meter_, opened), "attestation.insufficient");
  EXPECT_THAT(verdict(), AllOf(HasSubstr("attested to \"warning\", and \"affirming\" is demanded"),
                               HasSubstr("an odd boot [boot.odd]"), HasSubstr("warifu attestation explain")));
  const auto waiting = operator_.get("/api/v1/waiting-registrations").body;
  EXPECT_THAT(waiting, AllOf(HasSubstr(R"("registration_id":"meter-1")"), HasSubstr("attestation.insufficient"),
                             HasSubstr("boot.odd"), HasSubstr(R"("needs_approval":false)")));
  world_.server.attempts.flush();
  world_.store->settle();
  const auto story = operator_.get("/api/v1/registrations/meter-1/explanation").body;
  EXPECT_THAT(story, AllOf(HasSubstr(R"("stage":"attestation")"), HasSubstr("it waits for its attestation")));
  EXPECT_THAT(story, Not(HasSubstr("All is well")));

  open(meter_);
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"attestation.insufficient")"), HasSubstr("boot.odd")))
      << "who comes again with an attestation that is not enough is told of";
  open(meter_);
  EXPECT_THAT(alerts(), HasSubstr(R"("count":1)")) << "once";
}

class DeviceAttestationGroupTest : public DeviceAttestationTest {
 protected:
  DeviceAttestationGroupTest() {
    test::must(world_.server.unenroll("meter-1"));
    const auto put = operator_.put("/api/v1/enrollment-groups/plant",
                                   test::tpm_group("plant", "*", R"(,"required_attestation":"affirming")"));
    EXPECT_LT(put.status, 300) << put.body;
    EXPECT_EQ(
        operator_.post("/api/v1/enrollment-groups/plant/eks", test::ek_list({&world_.tpm_a.ek(), &world_.tpm_b.ek()}))
            .status,
        200);
  }
  void assign_first() {
    const auto opened = open(meter_);
    attest({});
    EXPECT_EQ(poll(meter_, opened).status, 202);
    EXPECT_EQ(told(meter_, opened), "assigned");
  }
  std::string attests(const sim::SoftwareTpm& tpm) {
    std::string code;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      provisioning::NoEndorsements none;
      const auto allowed = world_.server.registrar.may_attest(s.provisioning(), test::scope_id(),
                                                              RegistrationId::parse("meter-1").value(), tpm.ek(), none);
      if (!allowed) code = allowed.error().code;
      return {};
    }));
    return code;
  }

  const World::TestDevice other_ = world_.device(world_.tpm_b, "meter-1");
};

TEST_F(DeviceAttestationGroupTest, ADeviceOfAGroupWaitsToo) {
  const auto opened = open(meter_);
  EXPECT_EQ(told(meter_, opened), "attestation.missing");
  EXPECT_THAT(verdict(), HasSubstr("the terms of its enrollment group demand"));
  attest({});
  EXPECT_EQ(poll(meter_, opened).status, 202);
  EXPECT_EQ(told(meter_, opened), "assigned");
}

TEST_F(DeviceAttestationGroupTest, WhoWantsTheIdOfAnotherAttestsUnderItWhenThatIsApproved) {
  assign_first();
  EXPECT_EQ(attests(world_.tpm_b), "approval.missing") << "its AK would take the place of the device's";
  const auto opened = open(other_);
  EXPECT_EQ(told(other_, opened), "approval.open");
  EXPECT_EQ(attests(world_.tpm_b), "approval.missing");
  EXPECT_EQ(attests(world_.tpm_a), "");
  ASSERT_EQ(operator_.decide("approve", "meter-1").status, 200);
  EXPECT_EQ(attests(world_.tpm_b), "");
  EXPECT_EQ(told(other_, opened), "attestation.other-ek") << "the ledger is the first one's";
  attest({.tpm = &world_.tpm_b});
  EXPECT_EQ(poll(other_, opened).status, 202);
  EXPECT_EQ(told(other_, opened), "assigned");
  EXPECT_EQ(attests(world_.tpm_a), "approval.missing");
}

TEST_F(DeviceAttestationGroupTest, WhoWaitsForAnApprovalAndWhoWaitsForItsAttestationEndNobody) {
  assign_first();
  const auto wish = open(other_);
  const auto own = open(meter_);
  EXPECT_EQ(told(other_, wish), "approval.open");
  EXPECT_EQ(told(meter_, own), "attestation.used");
  const auto second_wish = open(other_);
  EXPECT_EQ(told(other_, wish), "operation.superseded") << "its own";
  EXPECT_EQ(told(meter_, own), "attestation.used");
  attest({});
  EXPECT_EQ(poll(meter_, own).status, 202);
  EXPECT_EQ(told(meter_, own), "assigned");
  EXPECT_EQ(told(other_, second_wish), "approval.open");
}

TEST_F(DeviceAttestationGroupTest, WhoeverAttestsFirstHasAnIdThatNobodyHad) {
  const auto first = open(meter_);
  EXPECT_EQ(told(meter_, first), "attestation.missing");
  const auto second = open(other_);
  EXPECT_EQ(told(meter_, first), "operation.superseded");
  attest({});
  EXPECT_EQ(told(other_, second), "attestation.other-ek");
  EXPECT_EQ(come(meter_), "assigned");
  EXPECT_EQ(told(other_, second), "operation.superseded") << "now it would have to ask for it";
  EXPECT_EQ(come(other_), "approval.open");
}

}  // namespace
}  // namespace warifu::front::dps

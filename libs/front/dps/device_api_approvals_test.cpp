// What an operator decides, and what he is told of: other SRKs, and signs that one TPM is two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

const std::string kApprovals = "/api/v1/approvals";
const std::string kNone = "[]";

class DeviceApprovalsTest : public ::testing::Test {
 protected:
  struct Wish {
    std::string operation;
    std::string token;
  };

  void ask_for_approvals(bool wanted = true) {
    const auto put = operator_.put(
        "/api/v1/enrollments/meter-1",
        test::tpm_enrollment("meter-1", world_.tpm_a.ek(), fmt::format(R"(,"approve_srk_changes":{})", wanted)));
    ASSERT_EQ(put.status, 200) << put.body;
  }
  Wish open(const World::TestDevice& device) {
    world_.clock.advance(std::chrono::seconds(1));
    const auto token = device.sign(device.get_challenge().value());
    auto operation = device.open_operation(token);
    EXPECT_TRUE(operation) << to_string(operation.error());
    return {operation.value_or(""), token};
  }
  net::HttpResponse poll(const World::TestDevice& device, const Wish& wish) {
    return device.ask(device.poll_request(wish.operation, wish.token));
  }
  void approve() { ASSERT_EQ(operator_.decide("approve", "meter-1").status, 200); }
  std::string approvals() { return member(operator_.get(kApprovals), "items"); }
  std::string alerts() { return member(operator_.get("/api/v1/alerts"), "items"); }
  std::string srk_of_device() { return member(operator_.get("/api/v1/devices/meter-1"), "srk_name"); }

  World world_;
  const test::Operator operator_{world_.server};
  const World::TestDevice& meter_ = world_.meter;
  const World::TestDevice cleared_ = world_.device(world_.tpm_a_cleared, "meter-1");
  const sim::SoftwareTpm third_tpm_ =
      sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a", "p256").value();
  const World::TestDevice third_ = world_.device(third_tpm_, "meter-1");
};

TEST_F(DeviceApprovalsTest, AnotherSrkWaitsIsApprovedAndAssigned) {
  ask_for_approvals();
  ASSERT_TRUE(meter_.provision()) << "the first one needs nobody";
  const auto hub_key = to_hex(world_.stored_hub_key("meter-1").reveal());
  const auto wish = open(cleared_);
  for (int i = 0; i < 2; ++i) {
    const auto told = poll(cleared_, wish);
    EXPECT_EQ(told.status, 202);
    EXPECT_EQ(member(told, "status"), "assigning");
    EXPECT_EQ(member(told, "registrationState.registrationId"), "meter-1");
    EXPECT_EQ(member(told, "registrationState.tpm"), "absent");
    EXPECT_EQ(net::find_header(told.headers, "Retry-After"), "30");
  }
  EXPECT_EQ(srk_of_device(), world_.tpm_a.srk().name().text());
  EXPECT_EQ(to_hex(world_.stored_hub_key("meter-1").reveal()), hub_key);
  EXPECT_THAT(world_.stored(), HasSubstr("device:meter-1 approval.request registration:meter-1"));

  approve();
  EXPECT_EQ(poll(cleared_, wish).status, 202);
  const auto assigned = poll(cleared_, wish);
  ASSERT_EQ(assigned.status, 200) << assigned.body;
  EXPECT_EQ(member(assigned, "registrationState.substatus"), "deviceDataMigrated");
  EXPECT_TRUE(cleared_.open(assigned, "registrationState.tpm.authenticationKey"));
  EXPECT_EQ(srk_of_device(), world_.tpm_a_cleared.srk().name().text());
  EXPECT_EQ(approvals(), kNone);
  EXPECT_THAT(operator_.get("/metrics").body, HasSubstr("warifu_registrations_total{mechanism=\"tpm\"} 2\n"))
      << "counted when it was opened, and not again when it was assigned";
}

TEST_F(DeviceApprovalsTest, WithoutTheWishForItNobodyIsAsked) {
  ask_for_approvals(false);
  ASSERT_TRUE(meter_.provision());
  EXPECT_EQ(poll(cleared_, open(cleared_)).status, 200);
  EXPECT_EQ(approvals(), kNone);
}

TEST_F(DeviceApprovalsTest, AnApprovalIsForTheseVeryKeysAndOnce) {
  ask_for_approvals();
  ASSERT_TRUE(meter_.provision());
  const auto wish = open(cleared_);
  approve();
  const auto other = open(third_);
  EXPECT_EQ(poll(third_, other).status, 202) << "approved was another SRK";
  EXPECT_EQ(poll(third_, other).status, 202);
  EXPECT_EQ(member(poll(cleared_, wish), "info.code"), "operation.superseded");
  EXPECT_THAT(approvals(), AllOf(HasSubstr(third_tpm_.srk().name().text()), HasSubstr(R"("approved_at":null)")));

  const auto again = open(cleared_);
  EXPECT_EQ(poll(cleared_, again).status, 202) << "the approval went with the other's wish";
  approve();
  EXPECT_EQ(poll(cleared_, again).status, 202);
  EXPECT_EQ(poll(cleared_, again).status, 200);
  EXPECT_EQ(poll(meter_, open(meter_)).status, 202) << "back to the first SRK";
  approve();
  EXPECT_EQ(poll(meter_, open(meter_)).status, 200) << "approved before it asked anew";
  EXPECT_EQ(poll(cleared_, open(cleared_)).status, 202) << "an approval is good once";
}

TEST_F(DeviceApprovalsTest, ARejectedOneEndsAndMayAskAgain) {
  ask_for_approvals();
  ASSERT_TRUE(meter_.provision());
  const auto wish = open(cleared_);
  ASSERT_EQ(operator_.decide("reject", "meter-1").status, 204);
  EXPECT_EQ(member(poll(cleared_, wish), "info.code"), "operation.superseded");
  EXPECT_EQ(member(cleared_.ask(cleared_.register_request(wish.token)), "info.code"), "challenge.unknown");
  EXPECT_EQ(srk_of_device(), world_.tpm_a.srk().name().text());
  EXPECT_EQ(poll(cleared_, open(cleared_)).status, 202);
  EXPECT_THAT(approvals(), HasSubstr(R"("approved_at":null)"));
}

TEST_F(DeviceApprovalsTest, ADisabledOrDeletedEnrollmentIsNotAssignedThoughApproved) {
  ask_for_approvals();
  ASSERT_TRUE(meter_.provision());
  const auto wish = open(cleared_);
  approve();
  const auto disabled = test::tpm_enrollment("meter-1", world_.tpm_a.ek(), R"(,"enabled":false)");
  ASSERT_EQ(operator_.put("/api/v1/enrollments/meter-1", disabled).status, 200);
  EXPECT_EQ(member(poll(cleared_, wish), "info.code"), "enrollment.disabled");
  test::must(world_.server.unenroll("meter-1"));
  EXPECT_EQ(member(poll(cleared_, wish), "info.code"), "enrollment.unknown");
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  EXPECT_EQ(member(poll(cleared_, wish), "info.code"), "operation.superseded");
  EXPECT_EQ(srk_of_device(), world_.tpm_a.srk().name().text());
}

TEST_F(DeviceApprovalsTest, AnEkUnderTwoIdsIsToldWhenItIsProved) {
  test::must(world_.server.enroll("meter-2", world_.tpm_a.ek()));
  EXPECT_EQ(alerts(), kNone);
  ASSERT_TRUE(meter_.provision());
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"ek.duplicate")"), HasSubstr(R"("subject":"meter-2")"),
                              HasSubstr(R"("count":1)")));
  ASSERT_TRUE(meter_.provision());
  EXPECT_THAT(alerts(), HasSubstr(R"("count":2)"));
}

TEST_F(DeviceApprovalsTest, TwoSrksAtOnceAndAnOldOneThatIsBackAreTold) {
  const auto mine = open(meter_);
  EXPECT_EQ(alerts(), kNone);
  const auto its = open(cleared_);
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"srk.overlap")"), HasSubstr(world_.tpm_a_cleared.srk().name().text()),
                              Not(HasSubstr("srk.returned"))));
  ASSERT_EQ(poll(cleared_, its).status, 200);
  EXPECT_EQ(member(poll(meter_, mine), "info.code"), "operation.superseded");
  open(meter_);
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"srk.returned")"), HasSubstr(world_.tpm_a.srk().name().text())));
}

TEST_F(DeviceApprovalsTest, ANewSrkAloneIsNoAlert) {
  ASSERT_TRUE(meter_.provision());
  ASSERT_TRUE(cleared_.provision());
  EXPECT_EQ(alerts(), kNone);
}

// EKs are public: who only knows one must not be able to cry wolf, nor to hinder the device.
TEST_F(DeviceApprovalsTest, AStrangerWhoKnowsTheEkRaisesNoAlertAndAsksForNothing) {
  ask_for_approvals();
  test::must(world_.server.enroll("meter-2", world_.tpm_a.ek()));
  const auto before = world_.stored();
  const auto forged = meter_.sign(SecretBytes(Bytes(32, 0x5A)));
  for (const auto& stranger : {cleared_, third_, world_.device(world_.tpm_a, "meter-2")}) {
    EXPECT_EQ(stranger.ask(stranger.register_request()).status, 401);
    EXPECT_EQ(stranger.ask(stranger.register_request(stranger.sign(SecretBytes(Bytes(32, 0x5A))))).status, 401);
    EXPECT_EQ(stranger.ask(stranger.lookup_request(forged)).status, 401);
  }
  EXPECT_EQ(world_.stored(), before);
  EXPECT_TRUE(meter_.provision());
}

}  // namespace
}  // namespace warifu::front::dps

// TPMs whose EK no accepted certificate vouches for: they wait for an operator where their group says so.
#include <gmock/gmock.h>

#include "front/dps/authorities_fixture_test.h"
#include "provisioning/limits.h"

namespace warifu::front::dps {
namespace {

using test::member;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class DeviceUncertifiedTest : public DeviceAuthoritiesTest {
 protected:
  World::TestDevice another(const std::string& id) { return world_.device(world_.tpm_a, id); }
  World::TestDevice third(const std::string& id) { return world_.device(third_tpm_, id); }
  std::string decide(const std::string& verb, const std::string& id) {
    const auto answer = operator_.decide(verb, id);
    return answer.status < 300 ? "" : member(answer, "code");
  }

  const sim::SoftwareTpm third_tpm_ =
      sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "p256").value();
};

TEST_F(DeviceUncertifiedTest, ATpmWithoutACertificateWaitsForAnOperatorWhereItsGroupSaysSo) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  EXPECT_EQ(come(pump()), "waits");
  EXPECT_THAT(explained("pump-1"), AllOf(HasSubstr("no EK certificate"), HasSubstr("warifu approval approve pump-1")));
  EXPECT_THAT(operator_.get("/api/v1/approvals").body,
              AllOf(HasSubstr(R"("is_uncertified":true)"), HasSubstr(R"("group_id":"plant")")));
  EXPECT_THAT(eks_of("plant"), Not(HasSubstr(ek_.name().text()))) << "nothing is enrolled before";
  EXPECT_EQ(attesting_refusal(pump()), kRefused);
  EXPECT_EQ(operator_.get("/api/v1/devices/pump-1").status, 404);
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(poll_until_assigned(pump()), "assigned");
  EXPECT_THAT(eks_of("plant"), AllOf(HasSubstr(ek_.name().text()), HasSubstr(R"("is_approved":true)")));
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "ek_certificate"), "null");
  EXPECT_EQ(come(pump()), "assigned") << "it was approved";
  EXPECT_EQ(come(pump("pump-2")), "enrollment.bound");
  // What was approved stays when the group no longer asks.
  make_group("plant", {maker_.root()});
  EXPECT_EQ(come(pump()), "assigned");
  EXPECT_EQ(come(world_.device(world_.tpm_a, "pump-2")), kRefused);
}

TEST_F(DeviceUncertifiedTest, ATpmThatIsRejectedMayAskAgainAndOneWithACertificateNeedNotWait) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(pump()), "waits");
  ASSERT_EQ(operator_.decide("reject", "pump-1").status, 204);
  EXPECT_EQ(poll(pump()), "operation.superseded");
  EXPECT_EQ(come(pump()), "waits");
  EXPECT_EQ(come(certified_pump()), "assigned") << "meanwhile its certificate was found";
  EXPECT_EQ(member(operator_.get("/api/v1/approvals"), "items"), "[]");
  EXPECT_EQ(come(pump()), "waits") << "nobody approved it without";
}

// Else it would wait for ever: for an attestation that nobody lets it give.
TEST_F(DeviceUncertifiedTest, WhoWasApprovedMayAttestBeforeItIsAssigned) {
  import({maker_.root()});
  make_group("plant", {maker_.root()}, "pump-*", true, R"(,"required_attestation":"affirming")");
  EXPECT_EQ(come(pump()), "waits");
  EXPECT_EQ(attesting_refusal(pump()), kRefused) << "nobody agreed yet";
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(attesting_refusal(pump()), "");
  EXPECT_EQ(poll(pump()), "waits") << "for its attestation";
  EXPECT_THAT(eks_of("plant"), AllOf(HasSubstr(R"("registration_id":"pump-1")"), HasSubstr(R"("is_approved":true)")));
  EXPECT_EQ(attesting_refusal(pump("pump-2")), "enrollment.bound") << "he agreed to one ID";
  make_group("plant", {maker_.root()}, "pump-*", true);
  EXPECT_EQ(poll_until_assigned(pump()), "assigned") << "once it is not asked for";
}

TEST_F(DeviceUncertifiedTest, AnApprovalThatIsTakenBackTakesTheEkAlong) {
  import({maker_.root()});
  make_group("plant", {maker_.root()}, "pump-*", true, R"(,"required_attestation":"affirming")");
  EXPECT_EQ(come(pump()), "waits");
  const auto keys = operator_.approval_keys("pump-1");
  ASSERT_EQ(operator_.post("/api/v1/approvals/pump-1/approve", keys).status, 200);
  ASSERT_EQ(operator_.post("/api/v1/approvals/pump-1/reject", keys).status, 204);
  EXPECT_EQ(attesting_refusal(pump()), kRefused);
  EXPECT_THAT(eks_of("plant"), Not(HasSubstr(ek_.name().text())));
}

TEST_F(DeviceUncertifiedTest, SoManyWaitWithoutACertificateAndNoMore) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  for (std::size_t i = 0; i < provisioning::kUncertifiedPendingMax; ++i)
    ASSERT_EQ(come(pump(fmt::format("pump-{}", i))), "waits") << i;
  const auto before = world_.stored();
  EXPECT_EQ(come(pump("pump-more")), "approval.too_many");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(come(pump("pump-7")), "waits") << "it has its place";
  EXPECT_EQ(come(certified_pump("pump-more")), "assigned");
  ASSERT_EQ(operator_.decide("reject", "pump-3").status, 204);
  EXPECT_EQ(come(world_.device(world_.tpm_a, "pump-last")), "waits");
}

// Whoever asks waits for an hour, and an operator may take longer.
TEST_F(DeviceUncertifiedTest, WhoWasApprovedAfterItsOperationRanOutMayAttestAndComes) {
  import({maker_.root()});
  make_group("plant", {maker_.root()}, "pump-*", true, kDemands);
  EXPECT_EQ(come(pump()), "waits");
  world_.clock.advance(std::chrono::hours(2));
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(world_.server.registrar.purge(t.provisioning(), t.audit(), test::scope_id()));
    return {};
  }));
  ASSERT_EQ(decide("approve", "pump-1"), "");
  EXPECT_EQ(attesting_refusal(pump()), "");
  EXPECT_EQ(come(pump()), "waits");
  EXPECT_THAT(explained("pump-1"), HasSubstr("has not attested yet"));
  make_group("plant", {maker_.root()}, "pump-*", true);
  EXPECT_EQ(poll_until_assigned(pump()), "assigned");
}

TEST_F(DeviceUncertifiedTest, AnApprovalChangesNoEkThatStandsElsewhere) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  make_group("roof", {maker_.ca()}, "fan-*");
  for (const auto& [other_id, group] : {std::pair("pump-2", "plant"), std::pair("fan-1", "roof")}) {
    ASSERT_EQ(come(pump()), "waits");
    ASSERT_EQ(come(certified_pump(other_id)), "assigned");
    EXPECT_EQ(decide("approve", "pump-1"), "approval.ek_elsewhere") << other_id;
    EXPECT_THAT(approvals(), HasSubstr(R"("approved_at":null)")) << "nothing was decided";
    EXPECT_THAT(eks_of(group), AllOf(HasSubstr(other_id), HasSubstr(R"("is_approved":false)")));
    EXPECT_EQ(decide("reject", "pump-1"), "");
    EXPECT_THAT(eks_of(group), AllOf(HasSubstr(other_id), HasSubstr(R"("is_approved":false)")));
    EXPECT_EQ(come(certified_pump(other_id)), "assigned");
    ASSERT_EQ(operator_.remove(ek_path(group, ek_)).status, 204);
    ASSERT_EQ(operator_.post(ek_path(group, ek_) + "/allow").status, 204);
  }
}

TEST_F(DeviceUncertifiedTest, ARejectionLeavesADeviceThatCameByItsCertificate) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true, kDemands);
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(certified_pump()), "assigned");
  make_group("plant", {maker_.root()}, "pump-*", true, kDemands);
  ASSERT_EQ(come(pump()), "waits");
  const auto keys = operator_.approval_keys("pump-1");
  ASSERT_EQ(operator_.post("/api/v1/approvals/pump-1/approve", keys).status, 200);
  EXPECT_THAT(eks_of("plant"), HasSubstr(R"("is_approved":true)"));
  EXPECT_THAT(world_.stored(), HasSubstr(R"("group":"plant","uncertified":true,"was_approved":false)"));
  ASSERT_EQ(operator_.post("/api/v1/approvals/pump-1/reject", keys).status, 204);
  EXPECT_THAT(eks_of("plant"), AllOf(HasSubstr(R"("registration_id":"pump-1")"), HasSubstr(R"("is_approved":false)")));
  EXPECT_THAT(world_.stored(), HasSubstr(R"("group":"plant","uncertified":true,"was_approved":true)"));
  EXPECT_EQ(poll(pump()), "operation.superseded");
}

TEST_F(DeviceUncertifiedTest, FreeKeysNeitherTakeAPlaceNorFillAnything) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(certified_pump()), "assigned");
  EXPECT_EQ(come(another("pump-1")), "enrollment.id_bound") << "another device has it";
  EXPECT_EQ(member(operator_.get("/api/v1/approvals"), "items"), "[]");
  EXPECT_THAT(alerts(), AllOf(HasSubstr(R"("kind":"ek.contended")"), HasSubstr(R"("subject":"uncertified")")));
  EXPECT_THAT(world_.stored(), HasSubstr("device:pump-1 enrollment.refuse registration:pump-1"));
  ASSERT_EQ(come(another("pump-9")), "waits");
  EXPECT_EQ(come(third("pump-9")), "approval.pending");
  const auto before = world_.stored();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(come(third("pump-1")), "enrollment.id_bound");
    EXPECT_EQ(come(third("pump-9")), "approval.pending");
  }
  EXPECT_EQ(world_.stored(), before) << "no row, no entry, no event";
  const auto seen = operator_.post("/api/v1/alerts/acknowledge",
                                   R"({"registration_id":"pump-9","kind":"ek.contended","subject":"uncertified"})");
  ASSERT_EQ(seen.status, 204) << seen.body;
  EXPECT_EQ(come(third("pump-9")), "approval.pending");
  EXPECT_THAT(alerts(), HasSubstr(R"("count":2)")) << "told again when an operator has looked at it";
  EXPECT_EQ(come(world_.device(world_.tpm_a_cleared, "pump-9")), "waits");
  EXPECT_THAT(alerts(), Not(HasSubstr("srk.overlap"))) << "its SRK is free, too";
}

TEST_F(DeviceUncertifiedTest, AWishGivesWayToADeviceAndToAWishWithACertificate) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()}, "pump-*", true);
  ASSERT_EQ(come(third("pump-1")), "waits");
  const auto wish = last_;
  ASSERT_EQ(come(certified_pump()), "assigned");
  EXPECT_EQ(approvals(), "[]");
  last_ = wish;
  EXPECT_EQ(poll(third("pump-1")), "operation.superseded");
  // Its TPM broke: whoever replaces it needs an approval, and may have it without a certificate.
  ASSERT_EQ(operator_.remove(ek_path("plant", ek_)).status, 204);
  EXPECT_EQ(come(third("pump-1")), "waits");
  const auto certified = another("pump-1").with_certificate(maker_.certify(world_.tpm_a.ek()));
  EXPECT_EQ(come(certified), "waits");
  EXPECT_THAT(approvals(), HasSubstr(world_.tpm_a.ek().name().text()));
  EXPECT_EQ(come(third("pump-1")), "approval.pending");
  ASSERT_EQ(decide("reject", "pump-1"), "");
  EXPECT_EQ(come(third("pump-1")), "waits");
  ASSERT_EQ(decide("approve", "pump-1"), "");
  EXPECT_EQ(come(certified), "approval.pending") << "approved, and not assigned yet";
  EXPECT_EQ(come(third("pump-1")), "assigned");
}

}  // namespace
}  // namespace warifu::front::dps

// What a device proved or read in one moment, and an operator changed before the next.
#include <gtest/gtest.h>

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {
namespace {

using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class DeviceRacesTest : public ::testing::Test {
 protected:
  World world_;
  const World::TestDevice& meter_ = world_.meter;
};

// The poll is answered after a commit, and what it read may have changed before that.
TEST_F(DeviceRacesTest, GivesNoHubKeyWhenTheEnrollmentWentBetweenReadingAndCommit) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  const auto operation = Uuid::parse(meter_.open_operation(token).value()).value();
  auto& registrar = world_.server.registrar;
  const auto registration = RegistrationId::parse("meter-1").value();
  provisioning::Claim claim{test::scope_id(), registration, "meter-1", {}, {}, {}, false};
  claim.token = provisioning::parse_sas_token(token).value();
  std::optional<provisioning::Assignment> assignment;
  ASSERT_TRUE(world_.store->read([&](store::Snapshot& s) -> Status {
    provisioning::NoEndorsements none;
    TRY(auto progress, registrar.progress(s.provisioning(), claim, operation, none));
    assignment = std::get<provisioning::Assignment>(std::move(progress));
    return {};
  }));
  const auto end = [&] {
    return world_.store->write(
        [&](store::Transaction& t) { return registrar.end_operation(t.provisioning(), t.audit(), *assignment); });
  };
  world_.put_standing({lifecycle::State::kProvisioned, lifecycle::Hold::kSuspended});
  EXPECT_EQ(end().error().code, "device.hold");
  world_.put_standing({lifecycle::State::kProvisioned, lifecycle::Hold::kNone});
  ASSERT_TRUE(world_.server.unenroll("meter-1"));
  EXPECT_EQ(end().error().code, "enrollment.unknown");
  ASSERT_TRUE(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  EXPECT_EQ(end().error().code, "operation.superseded");
}

// Between the proof and the change an operator may have changed what it rests on: a key that leaked, say.
TEST_F(DeviceRacesTest, OpensNothingWhenTheEnrollmentChangedBetweenProofAndChange) {
  const auto token = meter_.sign(meter_.get_challenge().value());
  auto& registrar = world_.server.registrar;
  provisioning::Claim claim{test::scope_id(), RegistrationId::parse("meter-1").value(), "meter-1", {}, {}, {}, false};
  claim.token = provisioning::parse_sas_token(token).value();
  std::optional<provisioning::ProvenDevice> proven;
  const auto verify = [&] {
    return world_.store->read([&](store::Snapshot& s) -> Status {
      provisioning::NoEndorsements none;
      TRY(proven, registrar.verify(s.provisioning(), claim, none));
      return {};
    });
  };
  const auto open = [&] {
    return world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(registrar.open_operation(t.provisioning(), t.audit(), *proven));
      return {};
    });
  };
  ASSERT_TRUE(verify());
  ASSERT_TRUE(world_.store->write([&](store::Transaction& t) -> Status {
    provisioning::EnrollmentRequest changed{claim.registration, provisioning::TpmRequest{world_.tpm_a.ek()}, {}, {}};
    changed.terms.hubs = {"b.example"};
    TRY_STATUS(world_.server.enrollments.put(t.provisioning(), t.audit(), {test::scope_id(), "operator:test"}, changed,
                                             {provisioning::Precondition::Existing::kPresent}));
    return {};
  }));
  const auto before = world_.stored();
  EXPECT_EQ(open().error().code, "enrollment.changed");
  EXPECT_EQ(world_.stored(), before);
  ASSERT_TRUE(verify());
  EXPECT_TRUE(open());
}

}  // namespace
}  // namespace warifu::front::dps

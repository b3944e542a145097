// provisioning::DeviceDesk and what stands for a device (provisioning/statement.h), on every database.
#include "provisioning/device_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/statement.h"
#include "store/desk_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::AlertKey;
using provisioning::ApprovalKeys;
using provisioning::Device;
using provisioning::EkListRequest;
using provisioning::Mechanism;
using provisioning::Operation;
using provisioning::RegistrationNaming;
using provisioning::Statement;
using provisioning::SymmetricKeyRequest;
using provisioning::Terms;
using provisioning::TpmRequest;

class DeviceDeskTest : public DeskTest {
 protected:
  provisioning::Enrollment enroll(bool by_tpm, const Terms& terms = {}) {
    provisioning::EnrollmentRequest request{meter_, SymmetricKeyRequest{}, {}, terms};
    if (by_tpm) request.attestation = TpmRequest{ek(1)};
    return ask([&](auto& r, auto& t) { return enrollments_.put(r, t, who_, request, kApply); }).value().enrollment;
  }
  provisioning::EnrollmentGroup make_group(bool of_tpms, const Terms& terms = {}) {
    provisioning::GroupRequest request{plant_, SymmetricKeyRequest{}, terms};
    if (of_tpms) request.attestation = EkListRequest{RegistrationNaming::ek_hash()};
    return ask([&](auto& r, auto& t) { return groups_.put(r, t, who_, request, kApply); }).value().group;
  }
  void remove_enrollment() {
    ASSERT_TRUE(ask([&](auto& r, auto& t) { return enrollments_.remove(r, t, who_, meter_); }));
  }
  auto reveal() {
    return ask(
        [&](auto& r, auto& t) { return devices_.reveal_hub_keys(r, t, who_, DeviceId::parse("meter-1").value()); });
  }
  std::optional<Statement> statement(const std::optional<GroupId>& group, const Uuid& generation) {
    return found(
        [&](Snapshot& s) { return provisioning::find_statement(s.provisioning(), here_, meter_, group, generation); });
  }
  bool stands(const Device& device) {
    return found([&](Snapshot& s) { return provisioning::has_standing_statement(s.provisioning(), device); });
  }
  auto approval() {
    return found([&](Snapshot& s) { return s.provisioning().find_approval(here_, meter_); });
  }
  auto open_operation(Operation::State state) {
    return found([&](Snapshot& s) { return s.provisioning().find_open_operation(here_, meter_, state); });
  }
  std::string approve(const ApprovalKeys& keys = {{1}, {2}}) {
    return code(ask([&](auto& r, auto& t) { return devices_.approve(r, t, who_, meter_, keys); }));
  }
  std::string reject(const ApprovalKeys& keys = {{1}, {2}}) {
    return code(ask([&](auto& r, auto& t) { return devices_.reject(r, t, who_, meter_, keys); }));
  }
  // It waits for an approval.
  void ask_for_approval() {
    auto waiting = sample::operation(1, 1, here_);
    waiting.registration_id = meter_;
    waiting.ek_name = {1};
    waiting.state = Operation::State::kWaiting;
    ASSERT_TRUE(change([&](Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_operation(waiting));
      return t.provisioning().put_approval({here_, meter_, {1}, {2}, sample::time(1), {}});
    }));
  }
  const GroupId plant_ = GroupId::parse("plant").value();
};

TEST_P(DeviceDeskTest, AnEnrollmentOfItsOwnStandsBeforeEveryGroup) {
  const auto group = make_group(true);
  const auto of_group = statement(plant_, group.enrollment_id);
  ASSERT_TRUE(of_group);
  EXPECT_EQ(of_group->group, plant_);
  EXPECT_EQ(of_group->device_id.text(), "meter-1");
  EXPECT_FALSE(statement({}, group.enrollment_id)) << "it has none of its own";
  EXPECT_FALSE(statement(GroupId::parse("works").value(), group.enrollment_id));

  Terms disabled;
  disabled.enabled = false;
  const auto own = enroll(true, disabled);
  EXPECT_FALSE(statement(plant_, group.enrollment_id)) << "its own keeps it out of the group, disabled or not";
  const auto of_itself = statement({}, own.enrollment_id);
  ASSERT_TRUE(of_itself) << "disabled ones are found";
  EXPECT_EQ(provisioning::check_enabled(*of_itself).error().code, "enrollment.disabled");
  EXPECT_FALSE(statement(plant_, own.enrollment_id));
  remove_enrollment();
  EXPECT_TRUE(statement(plant_, group.enrollment_id));
  EXPECT_TRUE(provisioning::check_enabled(*statement(plant_, group.enrollment_id)));
}

TEST_P(DeviceDeskTest, AnotherGenerationIsAnotherStatement) {
  const auto old = enroll(true);
  remove_enrollment();
  EXPECT_FALSE(statement({}, old.enrollment_id));
  const auto anew = enroll(true);
  EXPECT_FALSE(statement({}, old.enrollment_id));
  EXPECT_TRUE(statement({}, anew.enrollment_id));
  remove_enrollment();
  const auto group = make_group(true);
  ASSERT_TRUE(ask([&](auto& r, auto& t) { return groups_.remove(r, t, who_, plant_); }));
  const auto group_anew = make_group(true);
  EXPECT_FALSE(statement(plant_, group.enrollment_id));
  EXPECT_TRUE(statement(plant_, group_anew.enrollment_id));
}

TEST_P(DeviceDeskTest, WhatADeviceWasGivenIsGoodWhileItsStatementStandsAndIsEnabled) {
  const auto own = enroll(true);
  const auto device = came(meter_, own.enrollment_id, "meter-1");
  EXPECT_TRUE(stands(device));
  Terms disabled;
  disabled.enabled = false;
  enroll(true, disabled);
  EXPECT_FALSE(stands(device));
  enroll(true);
  EXPECT_TRUE(stands(device));
  remove_enrollment();
  EXPECT_FALSE(stands(device));
}

TEST_P(DeviceDeskTest, ATpmsHubKeyIsRevealedUntilItIsRevoked) {
  EXPECT_EQ(code(reveal()), "device.unknown");
  store_device(came(meter_, enroll(true).enrollment_id, "meter-1"));
  EXPECT_TRUE(is_audited([&] {
    const auto keys = reveal();
    ASSERT_TRUE(keys);
    EXPECT_EQ(to_bytes(keys->primary.reveal()), to_bytes(hub_key_.reveal()));
    EXPECT_TRUE(keys->secondary.empty());
  }));
  Terms disabled;
  disabled.enabled = false;
  enroll(true, disabled);
  EXPECT_EQ(code(reveal()), "device.credentials_revoked");
  enroll(true);
  EXPECT_EQ(code(reveal()), "");
  remove_enrollment();
  EXPECT_EQ(code(reveal()), "device.credentials_revoked");
  enroll(true);
  EXPECT_EQ(code(reveal()), "device.credentials_revoked") << "another enrollment";
}

TEST_P(DeviceDeskTest, ASymmetricKeyDeviceHasTheKeysThatItWasEnrolledWith) {
  auto keyed = came(meter_, enroll(false).enrollment_id, "meter-1");
  keyed.mechanism = Mechanism::kSymmetricKey;
  keyed.sealed_hub_key.clear();
  store_device(keyed);
  const auto enrolled = ask([&](auto& r, auto& t) { return enrollments_.reveal_keys(r, t, who_, meter_); });
  const auto revealed = reveal();
  ASSERT_TRUE(revealed);
  EXPECT_EQ(to_bytes(revealed->primary.reveal()), to_bytes(enrolled->primary.reveal()));
  EXPECT_EQ(to_bytes(revealed->secondary.reveal()), to_bytes(enrolled->secondary.reveal()));
}

TEST_P(DeviceDeskTest, ASymmetricKeyDeviceOfAGroupHasTheKeysThatAreDerivedForItsSpelling) {
  auto keyed = came(meter_, make_group(false).enrollment_id, "meter-1");
  keyed.mechanism = Mechanism::kSymmetricKey;
  keyed.group = plant_;
  keyed.sealed_hub_key.clear();
  const auto of_group = ask([&](auto& r, auto& t) { return groups_.reveal_keys(r, t, who_, plant_); });
  // The second is of one that came before its spelling was kept.
  for (const auto& [kept, spelling] : {std::pair{"Meter-1", "Meter-1"}, std::pair{"", "meter-1"}}) {
    keyed.key_derived_for = kept;
    store_device(keyed);
    const auto revealed = reveal();
    ASSERT_TRUE(revealed);
    const auto derived = provisioning::derive_device_keys(*of_group, spelling);
    EXPECT_EQ(to_bytes(revealed->primary.reveal()), to_bytes(derived.primary.reveal())) << spelling;
    EXPECT_EQ(to_bytes(revealed->secondary.reveal()), to_bytes(derived.secondary.reveal())) << spelling;
  }
  enroll(true);
  EXPECT_EQ(code(reveal()), "device.credentials_revoked") << "an enrollment of its own took the group's place";
}

TEST_P(DeviceDeskTest, AnX509DeviceHasNoKey) {
  auto device = came(meter_, enroll(true).enrollment_id, "meter-1");
  device.mechanism = Mechanism::kX509;
  store_device(device);
  EXPECT_EQ(code(reveal()), "device.no_key");
}

TEST_P(DeviceDeskTest, DeregisteringTakesBackWhatADeviceWasGivenAndLeavesItsEnrollment) {
  const auto own = enroll(true);
  const auto given = came(meter_, own.enrollment_id, "meter-1");
  store_device(given);
  ask_for_approval();
  const auto deregister = [&](std::optional<Uuid> revision) {
    return code(ask([&](auto& r, auto& t) { return devices_.deregister(r, t, who_, meter_, revision); }));
  };
  EXPECT_EQ(deregister(own.enrollment_id), "device.revision");
  EXPECT_EQ(code(reveal()), "");
  EXPECT_EQ(deregister(given.operation_id), "");
  EXPECT_FALSE(provisioning::is_registered(*device(meter_)));
  EXPECT_TRUE(device(meter_)->sealed_hub_key.empty());
  EXPECT_EQ(device(meter_)->ek_name, given.ek_name);
  EXPECT_EQ(device(meter_)->standing, given.standing);
  EXPECT_FALSE(approval());
  EXPECT_FALSE(open_operation(Operation::State::kAssigned));
  EXPECT_TRUE(enrollment(meter_));
  EXPECT_EQ(code(reveal()), "device.credentials_revoked");
  EXPECT_EQ(deregister({}), "device.unknown") << "once";
}

TEST_P(DeviceDeskTest, AnApprovalIsGivenOnce) {
  EXPECT_EQ(approve(), "approval.unknown");
  ask_for_approval();
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(approve(), ""); }));
  const auto given = approval();
  EXPECT_EQ(given->approved_at, world_.clock.now());
  EXPECT_EQ(given->ek_name, Bytes{1});
  EXPECT_EQ(given->requested_at, sample::time(1));
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(approve(), ""); }));
  EXPECT_EQ(approval()->approved_at, given->approved_at);
}

// Between the operator's look and his word another TPM may have taken the place of the one that waited.
TEST_P(DeviceDeskTest, AWordOnOtherKeysThanThoseThatWaitIsRefused) {
  ask_for_approval();
  for (const ApprovalKeys& others : {ApprovalKeys{{9}, {2}}, ApprovalKeys{{1}, {9}}, ApprovalKeys{}}) {
    EXPECT_FALSE(is_audited([&] { EXPECT_EQ(approve(others), "approval.keys"); }));
    EXPECT_FALSE(is_audited([&] { EXPECT_EQ(reject(others), "approval.keys"); }));
  }
  ASSERT_TRUE(approval());
  EXPECT_FALSE(approval()->approved_at);
  EXPECT_TRUE(open_operation(Operation::State::kWaiting));
  EXPECT_EQ(approve(), "");
  EXPECT_EQ(approve({{1}, {9}}), "approval.keys") << "approved, for other keys";
}

TEST_P(DeviceDeskTest, ARejectionEndsTheOperationThatWaits) {
  EXPECT_EQ(reject(), "approval.unknown");
  ask_for_approval();
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(reject(), ""); }));
  EXPECT_FALSE(approval());
  EXPECT_FALSE(open_operation(Operation::State::kWaiting));

  // One that is assigned goes on.
  auto assigned = sample::operation(2, 1, here_);
  assigned.registration_id = meter_;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_operation(assigned));
    return t.provisioning().put_approval({here_, meter_, {1}, {2}, sample::time(1), {}});
  }));
  EXPECT_EQ(reject(), "");
  EXPECT_TRUE(open_operation(Operation::State::kAssigned));
}

TEST_P(DeviceDeskTest, AnAlertIsAcknowledged) {
  const AlertKey key{meter_, "ek.duplicate", "meter-2"};
  const auto acknowledge = [&] {
    return code(ask([&](auto& r, auto& t) { return devices_.acknowledge(r, t, who_, key); }));
  };
  EXPECT_EQ(acknowledge(), "alert.unknown");
  ASSERT_TRUE(change([&](Transaction& t) {
    return t.provisioning().raise_alert({.scope = here_,
                                         .kind = key.kind,
                                         .registration_id = meter_,
                                         .subject = key.subject,
                                         .detail = "",
                                         .count = 1,
                                         .first_at = sample::time(1),
                                         .last_at = sample::time(1),
                                         .acknowledged_at = std::nullopt});
  }));
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(acknowledge(), ""); }));
  const auto alerts = found([&](Snapshot& s) { return s.provisioning().list_alerts_of(here_, meter_); });
  EXPECT_EQ(alerts[0].acknowledged_at, world_.clock.now());
}

INSTANTIATE_TEST_SUITE_P(Databases, DeviceDeskTest, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store

// provisioning::EnrollmentDesk on every database.
#include "provisioning/enrollment_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/desk_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::EnrollmentRequest;
using provisioning::Outcome;
using provisioning::Precondition;
using provisioning::SharedKeys;
using provisioning::SymmetricKeyRequest;
using provisioning::TpmRequest;
using testing::ElementsAre;
using testing::IsEmpty;

class EnrollmentDeskTest : public DeskTest {
 protected:
  auto put(const EnrollmentRequest& request, const Precondition& precondition) {
    return ask(
        [&](auto& records, auto& trail) { return enrollments_.put(records, trail, who_, request, precondition); });
  }
  EnrollmentRequest tpm(std::uint8_t number) const { return {meter_, TpmRequest{ek(number)}, {}, {}}; }
  EnrollmentRequest keys(std::optional<SecretBytes> primary = {}, std::optional<SecretBytes> secondary = {}) const {
    return {meter_, SymmetricKeyRequest{std::move(primary), std::move(secondary)}, {}, {}};
  }
  auto reveal() {
    return ask([&](auto& records, auto& trail) { return enrollments_.reveal_keys(records, trail, who_, meter_); });
  }
  static std::vector<std::string> fields_of(const Outcome& outcome) {
    std::vector<std::string> names;
    for (const auto& change : outcome.changes)
      names.push_back(change.field);
    return names;
  }
};

TEST_P(EnrollmentDeskTest, CreatesOnlyWhatIsNotThereAndUpdatesOnlyWhatIs) {
  EXPECT_EQ(code(put(tpm(1), kUpdate)), "enrollment.unknown");
  EXPECT_FALSE(enrollment(meter_));
  const auto created = put(tpm(1), kCreate);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->outcome.kind, Outcome::Kind::kCreated);
  EXPECT_EQ(sample::fields(*enrollment(meter_)), sample::fields(created->enrollment));
  EXPECT_EQ(code(put(tpm(1), kCreate)), "enrollment.exists");

  auto request = tpm(1);
  request.terms.enabled = false;
  request.terms.hubs = {"hub-a.example"};
  const auto updated = put(request, kUpdate);
  ASSERT_TRUE(updated);
  EXPECT_EQ(updated->outcome.kind, Outcome::Kind::kUpdated);
  EXPECT_THAT(fields_of(updated->outcome), ElementsAre("enabled", "hubs"));
  const auto stored = enrollment(meter_);
  EXPECT_EQ(stored->terms, request.terms);
  EXPECT_EQ(stored->enrollment_id, created->enrollment.enrollment_id) << "the same generation";
  EXPECT_NE(stored->revision, created->enrollment.revision);
  EXPECT_EQ(stored->created_at, created->enrollment.created_at);
  EXPECT_GT(stored->updated_at, created->enrollment.updated_at);
}

TEST_P(EnrollmentDeskTest, ADeclarationCreatesUpdatesOrWritesNothing) {
  EXPECT_EQ(put(tpm(1), kApply)->outcome.kind, Outcome::Kind::kCreated);
  const auto before = enrollment(meter_);
  EXPECT_FALSE(is_audited([&] {
    const auto same = put(tpm(1), kApply);
    ASSERT_TRUE(same);
    EXPECT_EQ(same->outcome.kind, Outcome::Kind::kUnchanged);
    EXPECT_THAT(same->outcome.changes, IsEmpty());
    EXPECT_EQ(same->enrollment.revision, before->revision);
  }));
  EXPECT_EQ(sample::fields(*enrollment(meter_)), sample::fields(*before));
  auto request = tpm(1);
  request.terms.iot_edge = true;
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(put(request, kApply)->outcome.kind, Outcome::Kind::kUpdated); }));
}

TEST_P(EnrollmentDeskTest, IfMatchHoldsForTheRevisionThatWasRead) {
  const Uuid first = put(tpm(1), kCreate)->enrollment.revision;
  auto request = tpm(1);
  request.terms.iot_edge = true;
  const auto second = put(request, {Precondition::Existing::kPresent, first});
  ASSERT_TRUE(second);
  request.terms.enabled = false;
  EXPECT_EQ(code(put(request, {Precondition::Existing::kPresent, first})), "enrollment.revision");
  EXPECT_EQ(code(put(request, {Precondition::Existing::kEither, first})), "enrollment.revision");
  EXPECT_TRUE(enrollment(meter_)->terms.enabled);
  const auto remove = [&](std::optional<Uuid> revision) {
    return code(ask([&](auto& r, auto& t) { return enrollments_.remove(r, t, who_, meter_, revision); }));
  };
  EXPECT_EQ(remove(first), "enrollment.revision");
  EXPECT_TRUE(enrollment(meter_));
  EXPECT_EQ(remove(second->enrollment.revision), "");
  EXPECT_FALSE(enrollment(meter_));
  EXPECT_EQ(remove({}), "enrollment.unknown");
  EXPECT_EQ(code(put(tpm(1), {Precondition::Existing::kEither, first})), "enrollment.unknown") << "it was there once";
}

TEST_P(EnrollmentDeskTest, K7_AnotherEkIsAnotherGenerationAndTheHubKeyIsVoid) {
  const auto created = put(tpm(1), kCreate);
  store_device(came(meter_, created->enrollment.enrollment_id, "meter-1"));
  auto open = sample::operation(1, 1, here_);
  open.registration_id = meter_;
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_operation(open); }));

  auto request = tpm(1);
  request.terms.iot_edge = true;
  ASSERT_TRUE(put(request, kUpdate));
  EXPECT_FALSE(device(meter_)->sealed_hub_key.empty()) << "other terms leave it";

  request.attestation = TpmRequest{ek(2)};
  const auto changed = put(request, kUpdate);
  ASSERT_TRUE(changed);
  EXPECT_THAT(fields_of(changed->outcome), ElementsAre("attestation.ek_name"));
  EXPECT_NE(changed->enrollment.enrollment_id, created->enrollment.enrollment_id);
  EXPECT_TRUE(device(meter_)->sealed_hub_key.empty());
  EXPECT_FALSE(found([&](Snapshot& s) {
    return s.provisioning().find_open_operation(here_, meter_, provisioning::Operation::State::kAssigned);
  }));
}

TEST_P(EnrollmentDeskTest, AnotherMechanismIsAnotherGenerationToo) {
  const auto created = put(tpm(1), kCreate);
  store_device(came(meter_, created->enrollment.enrollment_id, "meter-1"));
  const auto changed = put(keys(), kUpdate);
  ASSERT_TRUE(changed);
  EXPECT_THAT(fields_of(changed->outcome), ElementsAre("attestation.type"));
  EXPECT_NE(changed->enrollment.enrollment_id, created->enrollment.enrollment_id);
  EXPECT_TRUE(device(meter_)->sealed_hub_key.empty());
  EXPECT_TRUE(reveal()) << "its keys are sealed for the new generation";
}

TEST_P(EnrollmentDeskTest, RemovingVoidsWhatTheDeviceWasGiven) {
  const auto created = put(tpm(1), kCreate);
  store_device(came(meter_, created->enrollment.enrollment_id, "meter-1"));
  const auto at = sample::time(1);
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval({here_, meter_, {1}, {2}, at, at}); }));
  EXPECT_EQ(code(ask([&](auto& r, auto& t) { return enrollments_.remove(r, t, who_, meter_); })), "");
  EXPECT_TRUE(device(meter_)->sealed_hub_key.empty());
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().find_approval(here_, meter_); }))
      << "an approval is for the enrollment under which it was asked for";
  EXPECT_NE(put(tpm(1), kCreate)->enrollment.enrollment_id, created->enrollment.enrollment_id);
}

TEST_P(EnrollmentDeskTest, ADeviceKeepsItsIdAndNoTwoRegistrationsHaveOne) {
  auto request = tpm(1);
  request.device_id = DeviceId::parse("pump-9").value();
  const auto created = put(request, kCreate);
  ASSERT_TRUE(created);
  store_device(came(meter_, created->enrollment.enrollment_id, "pump-9"));
  request.device_id = DeviceId::parse("pump-10").value();
  EXPECT_EQ(code(put(request, kUpdate)), "enrollment.device_id");
  request.device_id.reset();
  EXPECT_EQ(code(put(request, kUpdate)), "enrollment.device_id") << "it would be meter-1";

  auto other = tpm(2);
  other.registration_id = RegistrationId::parse("meter-2").value();
  other.device_id = DeviceId::parse("pump-9").value();
  EXPECT_EQ(code(put(other, kCreate)), "enrollment.device_id");
  other.registration_id = RegistrationId::parse("pump-9").value();
  other.device_id.reset();
  EXPECT_EQ(code(put(other, kCreate)), "enrollment.device_id") << "its own ID is that of another's device";
  other.device_id = DeviceId::parse("pump-11").value();
  EXPECT_EQ(code(put(other, kCreate)), "");
}

TEST_P(EnrollmentDeskTest, TellsUnderWhichOtherIdsTheEkStands) {
  ASSERT_TRUE(put(tpm(1), kCreate));
  auto twin = tpm(1);
  twin.registration_id = RegistrationId::parse("meter-2").value();
  EXPECT_THAT(put(twin, kCreate)->same_ek, ElementsAre(meter_));
  EXPECT_THAT(put(tpm(1), kApply)->same_ek, ElementsAre(twin.registration_id));
  EXPECT_THAT(put(tpm(3), kUpdate)->same_ek, IsEmpty());
}

TEST_P(EnrollmentDeskTest, SymmetricKeysAreDrawnKeptAndRotatedOneByOne) {
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(code(reveal()), "enrollment.unknown"); }));
  const auto created = put(keys(), kCreate);
  ASSERT_TRUE(created);
  const auto drawn = reveal();
  ASSERT_TRUE(drawn);
  EXPECT_EQ(drawn->primary.size(), 32U);
  EXPECT_NE(to_bytes(drawn->primary.reveal()), to_bytes(drawn->secondary.reveal()));
  EXPECT_EQ(put(keys(), kApply)->outcome.kind, Outcome::Kind::kUnchanged);
  EXPECT_EQ(put(keys(drawn->primary.clone()), kApply)->outcome.kind, Outcome::Kind::kUnchanged);

  const auto rotated = put(keys(SecretBytes(Bytes(64, 7))), kUpdate);
  ASSERT_TRUE(rotated);
  ASSERT_THAT(fields_of(rotated->outcome), ElementsAre("attestation.primary_key"));
  EXPECT_EQ(rotated->outcome.changes[0].from, "(a key)") << "keys are not shown";
  EXPECT_EQ(rotated->outcome.changes[0].to, "(another key)");
  EXPECT_EQ(rotated->enrollment.enrollment_id, created->enrollment.enrollment_id);
  const auto now = reveal();
  EXPECT_EQ(to_bytes(now->primary.reveal()), Bytes(64, 7));
  EXPECT_EQ(to_bytes(now->secondary.reveal()), to_bytes(drawn->secondary.reveal()));
  EXPECT_EQ(code(put(keys({}, SecretBytes(15)), kUpdate)), "enrollment.key_size");
  EXPECT_EQ(code(put(keys(SecretBytes(65)), kUpdate)), "enrollment.key_size");
  EXPECT_TRUE(is_audited([&] { EXPECT_TRUE(reveal()); })) << "that they were read";
  ASSERT_TRUE(put(tpm(1), kUpdate));
  EXPECT_EQ(code(reveal()), "enrollment.no_keys");
}

TEST_P(EnrollmentDeskTest, RefusesWhatTheDevicesLifecycleForbidsAndBadTerms) {
  const auto created = put(tpm(1), kCreate);
  auto disposed = came(meter_, created->enrollment.enrollment_id, "meter-1");
  disposed.standing.state = lifecycle::State::kDisposed;
  store_device(disposed);
  EXPECT_EQ(put(tpm(2), kUpdate).error().kind, ErrorKind::kRefused);
  auto request = tpm(1);
  request.terms.hubs = {"no host"};
  EXPECT_EQ(code(put(request, kUpdate)), "enrollment.hub");
  EXPECT_EQ(sample::fields(*enrollment(meter_)), sample::fields(created->enrollment));
}

TEST_P(EnrollmentDeskTest, TheEnrollmentOfADeviceOnHoldCanBeDeclaredAgainAndDisabled) {
  const auto created = put(tpm(1), kCreate);
  auto suspended = came(meter_, created->enrollment.enrollment_id, "meter-1");
  suspended.standing.hold = lifecycle::Hold::kSuspended;
  store_device(suspended);
  const auto same = put(tpm(1), kApply);
  ASSERT_TRUE(same) << to_string(same.error());
  EXPECT_EQ(same->outcome.kind, Outcome::Kind::kUnchanged);
  auto request = tpm(1);
  request.terms.enabled = false;
  EXPECT_EQ(code(put(request, kUpdate)), "");
  EXPECT_FALSE(enrollment(meter_)->terms.enabled);
  // To be enrolled anew is to provision.
  EXPECT_EQ(code(put(tpm(2), kUpdate)), "device.hold");
  ASSERT_TRUE(ask([&](auto& r, auto& t) { return enrollments_.remove(r, t, who_, meter_); }));
  EXPECT_EQ(code(put(tpm(1), kCreate)), "device.hold");
}

INSTANTIATE_TEST_SUITE_P(Databases, EnrollmentDeskTest, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store

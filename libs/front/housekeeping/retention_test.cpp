#include "front/housekeeping/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/key_holders.h"
#include "front/test_attested.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::housekeeping {
namespace {

using std::chrono::days;
using std::chrono::hours;
using ::testing::HasSubstr;
using RetentionWorld = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class RetentionTest : public ::testing::Test {
 protected:
  // As "meter-1" leaves it after an attestation with this boot log.
  void attest(const Bytes& log_digest) {
    const Timestamp now = world_.clock.now();
    write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.verifier().put_event_log({test::scope_id(), log_digest, Bytes{1}, now}));
      return test::put_attested(t, world_.tpm_a.ek(),
                                {.scope = test::scope_id(),
                                 .registration_id = id_,
                                 .event_log_sha256 = log_digest,
                                 .overall = attestation::Tier::kAffirming,
                                 .result = "{}",
                                 .attested_at = now,
                                 .next_due_at = now + hours(1)});
    });
  }
  void write(const std::function<Status(store::Transaction&)>& change) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(change(t));
      return t.audit().record(test::scope_id(), {"system", "test", "test"});
    }));
  }
  void look_after(std::chrono::seconds time) {
    world_.clock.advance(time);
    EXPECT_TRUE(retention_.look());
  }
  bool has_log(const Bytes& digest) {
    bool has = false;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(has, s.verifier().has_event_log(test::scope_id(), digest));
      return {};
    }));
    return has;
  }
  bool is_known() {
    bool is = false;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto ak, s.verifier().find_ak(test::scope_id(), id_));
      TRY(const auto ledger, s.verifier().find_ledger(test::scope_id(), id_));
      EXPECT_EQ(ak.has_value(), ledger.has_value());
      is = ak.has_value();
      return {};
    }));
    return is;
  }

  RetentionWorld world_;
  const RegistrationId id_ = RegistrationId::parse("meter-1").value();
  const Bytes old_ = Bytes(32, 1);
  const Bytes new_ = Bytes(32, 2);
  Retention retention_{world_.clock, world_.entropy, world_.server.registrar, world_.server.application_keys,
                       *world_.store};
};

TEST_F(RetentionTest, ABootLogGoesADayAfterItWasStoredIfNobodyRefersToIt) {
  attest(old_);
  attest(new_);
  look_after(hours(23));
  EXPECT_TRUE(has_log(old_)) << "a device may just have been told that it is known";
  look_after(hours(2));
  EXPECT_FALSE(has_log(old_));
  EXPECT_TRUE(has_log(new_));
}

TEST_F(RetentionTest, ALookIsTakenOnceAnHour) {
  EXPECT_TRUE(retention_.look());
  attest(old_);
  attest(new_);
  look_after(std::chrono::minutes(59));
  world_.clock.advance(days(2));
  EXPECT_TRUE(has_log(old_));
  EXPECT_TRUE(retention_.look());
  EXPECT_FALSE(has_log(old_));
}

TEST_F(RetentionTest, WhatADeviceShowedGoesAMonthAfterItsEnrollment) {
  attest(old_);
  test::must(world_.server.unenroll("meter-1"));
  look_after(days(30));
  EXPECT_TRUE(is_known());
  look_after(hours(2));
  EXPECT_FALSE(is_known());
  EXPECT_FALSE(has_log(old_));
  EXPECT_THAT(world_.stored(), HasSubstr("attestation.retire"));
}

TEST_F(RetentionTest, WhoIsEnrolledIsKnownHoweverLongItIsSilent) {
  attest(old_);
  look_after(days(4000));
  EXPECT_TRUE(is_known());
  EXPECT_TRUE(has_log(old_));
}

TEST_F(RetentionTest, WhoIsDisabledKeepsItsLedger) {
  attest(old_);
  write([&](store::Transaction& t) -> Status {
    TRY(auto enrollment, t.provisioning().find_enrollment(test::scope_id(), id_));
    enrollment->terms.enabled = false;
    return t.provisioning().update_enrollment(*enrollment);
  });
  look_after(days(4000));
  EXPECT_TRUE(is_known()) << "by it a clone is noticed when the device is back";
}

TEST_F(RetentionTest, AKeyForApplicationsIsWipedWhenItsEnrollmentIsGone) {
  const auto keys = [&] {
    std::vector<application_keys::ApplicationKey> all;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(all, s.application_keys().list_keys_of(test::scope_id(), id_, 10));
      return {};
    }));
    return all;
  };
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY(const auto holders, find_key_holders(t.provisioning(), test::scope_id(), id_));
    TRY_STATUS(world_.server.application_keys.put(t.application_keys(), t.audit(), "operator:test", holders,
                                                  {.name = Label::parse("mqtt").value()}));
    return {};
  }));
  look_after(hours(2));
  EXPECT_EQ(keys().at(0).state, application_keys::State::kPending);
  EXPECT_FALSE(keys().at(0).sealed_key.empty());
  test::must(world_.server.unenroll("meter-1"));
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  look_after(hours(2));
  EXPECT_EQ(keys().at(0).state, application_keys::State::kRevoked);
  EXPECT_TRUE(keys().at(0).sealed_key.empty());
}

// A process begins with any of them: so the last one has its turn although none lives longer than one look.
TEST_F(RetentionTest, KeysOfADeviceHaveTheirTurnHoweverManyAreBeforeIt) {
  const test::Operator alice{world_.server};
  for (const std::string id : {"meter-2", "meter-3"})
    test::must(world_.server.enroll(id, world_.tpm_b.ek()));
  for (const std::string id : {"meter-1", "meter-2", "meter-3"})
    for (const std::string name : {"mqtt", "dlms"})
      ASSERT_EQ(alice
                    .post("/api/v1/registrations/" + id + "/application-keys",
                          fmt::format(R"({{"name":"{}","generate":true}})", name))
                    .status,
                201);
  test::must(world_.server.unenroll("meter-3"));
  const auto waiting = [&] {
    std::size_t all = 0;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto keys,
          s.application_keys().list_keys_of(test::scope_id(), RegistrationId::parse("meter-3").value(), 10));
      all = static_cast<std::size_t>(
          std::ranges::count(keys, application_keys::State::kPending, &application_keys::ApplicationKey::state));
      return {};
    }));
    return all;
  };
  for (int process = 0; process < 64 && waiting() > 0; ++process) {
    Retention one(world_.clock, world_.entropy, world_.server.registrar, world_.server.application_keys, *world_.store,
                  {.at_once = 1, .changes = 1});
    EXPECT_TRUE(one.look());
  }
  EXPECT_EQ(waiting(), 0u) << "more than one change may end, in several";
}

class RetentionOfAGroup : public RetentionTest, public ::testing::WithParamInterface<bool> {
 protected:
  void may_look() {
    world_.clock.advance(hours(2));
    ASSERT_TRUE(!GetParam() || retention_.look());
  }
};

// Whether a look comes between the two decides nothing.
TEST_P(RetentionOfAGroup, AKeyForApplicationsOutlivesADeregistrationFromAGroupThatTakesTheDeviceAgain) {
  const test::Operator alice{world_.server};
  const std::string group = "/api/v1/enrollment-groups/plant";
  ASSERT_EQ(alice.put(group, test::tpm_group("plant", "*")).status, 201);
  ASSERT_EQ(alice.post(group + "/eks", test::ek_list({&world_.tpm_b.ek()})).status, 200);
  const auto pump = world_.device(world_.tpm_b, "pump-1");
  const auto id = RegistrationId::parse("pump-1").value();
  ASSERT_EQ(pump.come().told, "assigned");
  ASSERT_EQ(alice.post("/api/v1/registrations/pump-1/application-keys", R"({"name":"mqtt","generate":true})").status,
            201);
  const auto state = [&] {
    std::string told;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto all, s.application_keys().list_keys_of(test::scope_id(), id, 10));
      told = to_string(all.at(0).state);
      return {};
    }));
    return told;
  };
  const auto deregister = [&] {
    write([&](store::Transaction& t) -> Status {
      TRY(const auto device, t.provisioning().find_device_of(test::scope_id(), id));
      return take_back(t.provisioning(), *device, world_.clock.now());
    });
  };
  deregister();
  may_look();
  EXPECT_EQ(state(), "pending");
  EXPECT_THAT(alice.get("/api/v1/registrations/pump-1/application-keys").body, HasSubstr(R"("state":"pending")"));
  ASSERT_EQ(pump.come().told, "assigned");
  may_look();
  EXPECT_EQ(state(), "pending");
  deregister();
  const auto ek_name = world_.tpm_b.ek().name().text();
  ASSERT_LT(alice.remove(group + "/eks/" + ek_name).status, 300);
  EXPECT_EQ(state(), "revoked") << "the group takes it no more";
}

INSTANTIATE_TEST_SUITE_P(Looks, RetentionOfAGroup, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "AfterALook" : "WithoutALook"; });

TEST_F(RetentionTest, AKeyForApplicationsIsWipedWhenItsGroupIsGone) {
  const test::Operator alice{world_.server};
  const std::string group = "/api/v1/enrollment-groups/plant";
  const std::string keys = "/api/v1/registrations/pump-1/application-keys";
  ASSERT_EQ(alice.put(group, test::tpm_group("plant", "*")).status, 201);
  ASSERT_EQ(alice.post(group + "/eks", test::ek_list({&world_.tpm_b.ek()})).status, 200);
  ASSERT_EQ(world_.device(world_.tpm_b, "pump-1").come().told, "assigned");
  ASSERT_EQ(alice.post(keys, R"({"name":"mqtt","generate":true})").status, 201);
  ASSERT_EQ(alice.remove(group).status, 204);
  EXPECT_THAT(alice.get(keys).body, HasSubstr(R"("state":"revoked")"));
  EXPECT_THAT(world_.stored(), HasSubstr("pump-1mqtt1 pending"));
  look_after(hours(2));
  EXPECT_THAT(world_.stored(), ::testing::Not(HasSubstr("pump-1mqtt1 pending")));
}

}  // namespace
}  // namespace warifu::front::housekeeping

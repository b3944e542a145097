#include "front/housekeeping/silence_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/test_attested.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "verifier/limits.h"

namespace warifu::front::housekeeping {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

RegistrationId named(const std::string& text) {
  return RegistrationId::parse(text).value();
}

class SilenceWatchTest : public ::testing::Test {
 protected:
  // As a device leaves it that attests now, for the first time or again.
  void attest(const std::string& registration = "meter-1", std::chrono::seconds interval = verifier::kInterval) {
    const auto id = named(registration);
    const Timestamp now = world_.clock.now();
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(test::put_attested(t, world_.tpm_a.ek(),
                                    {.scope = test::scope_id(),
                                     .registration_id = id,
                                     .overall = attestation::Tier::kAffirming,
                                     .result = "{}",
                                     .attested_at = now,
                                     .next_due_at = now + interval}));
      return t.audit().record(test::scope_id(), {"device:" + registration, "attestation.record", registration});
    }));
  }
  // As warifud's housekeeping does.
  void look_for(minutes time) {
    for (minutes passed{}; passed < time; ++passed) {
      world_.clock.advance(minutes(1));
      EXPECT_TRUE(watch_.look());
    }
  }
  std::vector<provisioning::Alert> alerts(const std::string& registration = "meter-1") {
    std::vector<provisioning::Alert> all;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(all, s.provisioning().list_alerts_of(test::scope_id(), named(registration)));
      return {};
    }));
    return all;
  }
  SilenceWatch another() {
    return SilenceWatch(world_.clock, world_.server.registrar, *world_.store, world_.server.metrics);
  }

  World world_;
  SilenceWatch watch_ = another();
};

TEST_F(SilenceWatchTest, ADeviceThatGoesOnIsNotMissed) {
  for (int i = 0; i < 10; ++i) {
    attest();
    look_for(minutes(1));
  }
  EXPECT_TRUE(alerts().empty());
}

TEST_F(SilenceWatchTest, RaisesOneAlertForEachSilence) {
  look_for(minutes(5));
  attest();
  look_for(minutes(3));
  EXPECT_TRUE(alerts().empty()) << "it has an interval, and two more";
  look_for(minutes(10));
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].kind, "attestation.silent");
  EXPECT_EQ(alerts()[0].count, 1);
  EXPECT_THAT(alerts()[0].detail, HasSubstr("and was affirming"));
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr("warifu_silence_alarms_total 1"));
  EXPECT_THAT(world_.stored(), HasSubstr("alert.raise"));

  attest();
  look_for(minutes(10));
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].count, 2) << "another silence, once";
}

TEST_F(SilenceWatchTest, MissesEachDeviceByItsOwnInterval) {
  test::must(world_.server.enroll("meter-2", world_.tpm_a.ek()));
  test::must(world_.server.enroll("meter-3", world_.tpm_a.ek()));
  look_for(minutes(5));
  attest("meter-1", minutes(20));
  attest("meter-2", minutes(1));
  attest("meter-3", minutes(10));
  look_for(minutes(4));
  EXPECT_EQ(alerts("meter-2").size(), 1U);
  look_for(minutes(26));
  EXPECT_TRUE(alerts("meter-3").empty()) << "it was due after 10 minutes, and is missed after 30";
  look_for(minutes(1));
  EXPECT_EQ(alerts("meter-3").size(), 1U) << "though one that is due later was looked at before";
  look_for(minutes(29));
  EXPECT_TRUE(alerts("meter-1").empty());
  look_for(minutes(1));
  EXPECT_EQ(alerts("meter-1").size(), 1U);
}

TEST_F(SilenceWatchTest, MissesWhoeverLetThreeIntervalsPass) {
  constexpr std::chrono::seconds kInterval{10};
  SilenceWatch often(world_.clock, world_.server.registrar, *world_.store, world_.server.metrics, kInterval);
  EXPECT_TRUE(often.look());
  attest("meter-1", kInterval);
  world_.clock.advance(3 * kInterval);
  EXPECT_TRUE(often.look());
  EXPECT_TRUE(alerts().empty());
  world_.clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(often.look());
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(SilenceWatchTest, NobodyIsMissedBeforeItHadTimeToComeBack) {
  look_for(minutes(5));
  attest();
  world_.clock.advance(std::chrono::hours(1));  // the server was off, or stood still
  look_for(minutes(3));
  EXPECT_TRUE(alerts().empty());
  look_for(minutes(1));
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(SilenceWatchTest, WhatOneNodeRaisedTheOthersLeaveAlone) {
  SilenceWatch other = another();
  attest();
  for (int i = 0; i < 10; ++i) {
    look_for(minutes(1));
    EXPECT_TRUE(other.look());
  }
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].count, 1);
  EXPECT_EQ(alerts()[0].first_at, alerts()[0].last_at);
}

TEST_F(SilenceWatchTest, ANodeThatStartsFindsWhoFellSilentUnderAnother) {
  attest();
  SilenceWatch other = another();  // the first one is gone
  for (int i = 0; i < 5; ++i) {
    world_.clock.advance(minutes(1));
    EXPECT_TRUE(other.look());
  }
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(SilenceWatchTest, WhoMayNotAttestIsNotMissed) {
  attest();
  test::must(world_.server.unenroll("meter-1"));
  look_for(minutes(10));
  EXPECT_TRUE(alerts().empty());
}

TEST_F(SilenceWatchTest, LooksAtAllOfMany) {
  constexpr std::size_t kMany = 2 * SilenceWatch::kLookedAtMax + 1;
  for (std::size_t i = 0; i < kMany; ++i) {
    const auto id = fmt::format("lamp-{}", i);
    test::must(world_.server.enroll(id, world_.tpm_a.ek()));
    attest(id);
  }
  look_for(minutes(5));
  for (std::size_t i = 0; i < kMany; ++i)
    EXPECT_EQ(alerts(fmt::format("lamp-{}", i)).size(), 1U) << i;
}

TEST_F(SilenceWatchTest, AfterAnErrorDevicesHaveTheirTimeAgain) {
  look_for(minutes(5));
  attest();
  look_for(minutes(3));
  auto database =
      store::SqliteConnection::open(world_.folder.path() / "warifu.sqlite3", store::SqliteConnection::Mode::kExisting);
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->prepare(store::Sql("ALTER TABLE alerts RENAME TO away"))->run());
  world_.clock.advance(minutes(1));
  EXPECT_FALSE(watch_.look());
  ASSERT_TRUE(database->prepare(store::Sql("ALTER TABLE away RENAME TO alerts"))->run());
  look_for(minutes(3));
  EXPECT_TRUE(alerts().empty());
  look_for(minutes(1));
  EXPECT_EQ(alerts().size(), 1U) << "nobody is forgotten by it";
}

}  // namespace
}  // namespace warifu::front::housekeeping

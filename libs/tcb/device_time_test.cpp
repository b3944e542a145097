#include "tcb/device_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/deterministic.h"
#include "tcb/test_handshake.h"
#include "tcb/test_tpm.h"

namespace warifu::tcb {
namespace {

using testing::SizeIs;

class DeviceTimes : public testing::Test {
 protected:
  const Timestamp built_at_ = kTestNow;
  TestPower power_;
  TestFiles files_{power_};
  TestJournal journal_;
  sim::SteppingClock clock_{kTestNow + kTestDay};
  DeviceTime time_{clock_, files_, journal_, built_at_};
};

TEST_F(DeviceTimes, AreThoseOfAClockThatMayBeRight) {
  EXPECT_EQ(time_.now()->now, kTestNow + kTestDay);
  EXPECT_TRUE(time_.now()->check_not_before);
  clock_.set(built_at_);
  EXPECT_TRUE(time_.now()->check_not_before);
}

TEST_F(DeviceTimes, AreNotBeforeTheProgramWasBuilt) {
  clock_.set(Timestamp());  // 1970: the battery is empty
  EXPECT_EQ(time_.now()->now, built_at_);
  EXPECT_FALSE(time_.now()->check_not_before);
}

TEST_F(DeviceTimes, AreNotBeforeWhatTheOrganisationSaid) {
  ASSERT_TRUE(time_.saw(kTestNow + 30 * kTestDay));
  EXPECT_EQ(time_.now()->now, kTestNow + 30 * kTestDay);
  EXPECT_FALSE(time_.now()->check_not_before);
  const DeviceTime restarted{clock_, files_, journal_, built_at_};
  EXPECT_EQ(restarted.now()->now, kTestNow + 30 * kTestDay);
  clock_.set(kTestNow + 31 * kTestDay);
  EXPECT_EQ(restarted.now()->now, kTestNow + 31 * kTestDay);
  EXPECT_TRUE(restarted.now()->check_not_before);
}

TEST_F(DeviceTimes, OnlyRise) {
  ASSERT_TRUE(time_.saw(kTestNow + 30 * kTestDay));
  ASSERT_TRUE(time_.saw(kTestNow + 20 * kTestDay));
  EXPECT_EQ(time_.now()->now, kTestNow + 30 * kTestDay);
  EXPECT_EQ(files_.writes, 1);
  ASSERT_TRUE(time_.saw(built_at_ - kTestDay));
  EXPECT_EQ(files_.writes, 1);
}

TEST_F(DeviceTimes, DoNotFollowACertificateOfTheNextCentury) {
  ASSERT_TRUE(time_.saw(built_at_ + 20 * 365 * kTestDay));
  EXPECT_EQ(time_.now()->now, built_at_ + 20 * 365 * kTestDay);
  EXPECT_THAT(journal_.warnings, SizeIs(0));
  ASSERT_TRUE(time_.saw(built_at_ + 20 * 365 * kTestDay + std::chrono::seconds(1)));
  EXPECT_EQ(time_.now()->now, built_at_ + 20 * 365 * kTestDay);
  EXPECT_EQ(files_.writes, 1);
  EXPECT_THAT(journal_.warnings, SizeIs(1));
}

TEST_F(DeviceTimes, DoNotStopADeviceWhoseFileIsTorn) {
  ASSERT_TRUE(time_.saw(kTestNow + 30 * kTestDay));
  files_.files["last-seen"].pop_back();
  EXPECT_EQ(time_.now()->now, kTestNow + kTestDay);
  EXPECT_THAT(journal_.warnings, SizeIs(1));
  ASSERT_TRUE(time_.saw(kTestNow + 40 * kTestDay));
  EXPECT_EQ(time_.now()->now, kTestNow + 40 * kTestDay);
}

TEST_F(DeviceTimes, AreUnknownWhenTheDiskIsAway) {
  power_.cut_at(1);
  EXPECT_EQ(time_.now().error().code, "test.power");
}

}  // namespace
}  // namespace warifu::tcb

#include "front/limits/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/limits/test_timers.h"
#include "sim/deterministic.h"

namespace warifu::front {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class AdmissionTest : public ::testing::Test {
 protected:
  // As a server does that stops.
  void TearDown() override { timers_.drop_all(); }

  enum class Outcome { kPassed, kWaits, kRefusedByAddress, kRefusedByRegistration };

  static RequestLimits limits() {
    RequestLimits limits;
    limits.address = {100, 1'000};
    limits.registration = {2, 10};
    limits.challenge_cost = 4;
    limits.wait_max = 3s;
    limits.waiting_max = 8;
    limits.waiting_per_address_max = 6;
    return limits;
  }

  Outcome ask(const Asking& asking) {
    const auto passed = std::make_shared<bool>(false);
    refused_ = admission_.admit(asking, [this, passed] {
      *passed = true;
      ++passed_;
    });
    if (refused_)
      return refused_->by == LimitedBy::kAddress ? Outcome::kRefusedByAddress : Outcome::kRefusedByRegistration;
    return *passed ? Outcome::kPassed : Outcome::kWaits;
  }
  // How many pass before one does not.
  std::size_t passing(const Asking& asking) {
    std::size_t count = 0;
    while (ask(asking) == Outcome::kPassed)
      ++count;
    return count;
  }
  void advance(std::chrono::milliseconds step) {
    clock_.advance(step);
    timers_.advance(step);
  }

  sim::SeededEntropy entropy_{1};
  sim::SteppingMonotonicClock clock_;
  test::ManualTimers timers_;
  Metrics metrics_;
  Admission admission_{limits(), clock_, entropy_, timers_, metrics_};
  std::optional<Admission::Refused> refused_;
  std::size_t passed_ = 0;
};

TEST_F(AdmissionTest, DelaysBeforeItRefuses) {
  const Asking meter = {"192.0.2.1", "0ne/meter-1"};
  EXPECT_EQ(passing(meter), 10u);  // and one waits
  for (int i = 1; i < 6; ++i)
    EXPECT_EQ(ask(meter), Outcome::kWaits) << i;
  EXPECT_EQ(ask(meter), Outcome::kRefusedByRegistration);
  // Seven are due before it: at 2 a second.
  EXPECT_EQ(refused_->retry_after, 4s);
  EXPECT_EQ(passed_, 10u);
  advance(499ms);
  EXPECT_EQ(passed_, 10u);
  advance(1ms);
  EXPECT_EQ(passed_, 11u);
  advance(2'500ms);
  EXPECT_EQ(passed_, 16u);
  const std::string metrics = metrics_.text();
  EXPECT_THAT(metrics, HasSubstr("warifu_requests_delayed_total 6\n"));
  EXPECT_THAT(metrics, HasSubstr("warifu_requests_throttled_total{by=\"registration\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("warifu_requests_throttled_total{by=\"address\"} 0\n"));
  EXPECT_THAT(metrics, HasSubstr("warifu_requests_waiting 0\n"));
}

TEST_F(AdmissionTest, KeepsItsWordOfWhenToComeAgain) {
  const Asking meter = {"192.0.2.1", "0ne/meter-1"};
  while (ask(meter) != Outcome::kRefusedByRegistration) {
  }
  advance(std::chrono::milliseconds(refused_->retry_after));
  EXPECT_EQ(ask(meter), Outcome::kPassed);
}

// What the SDKs do: register, then ask each second or two.
TEST_F(AdmissionTest, NeverRefusesWhoWaitsForEachAnswer) {
  for (const bool makes_challenge : {false, true}) {
    const Asking meter = {"192.0.2.1", "0ne/meter-1", makes_challenge};
    for (int i = 0; i < 200; ++i) {
      const std::size_t before = passed_;
      ASSERT_NE(ask(meter), Outcome::kRefusedByRegistration) << i;
      for (int ms = 0; passed_ == before && ms < 3'000; ++ms)
        advance(1ms);
      ASSERT_EQ(passed_, before + 1) << i;
    }
  }
}

TEST_F(AdmissionTest, CountsAChallengeAsMoreThanAPoll) {
  EXPECT_EQ(passing({"192.0.2.1", "0ne/meter-1", true}), 2u);
  EXPECT_EQ(passing({"192.0.2.1", "0ne/meter-2", false}), 10u);
}

TEST_F(AdmissionTest, RefusesWhatWouldWaitTooLongThoughThereArePlaces) {
  const Asking meter = {"192.0.2.1", "0ne/meter-1", true};
  EXPECT_EQ(passing(meter), 2u);           // the third needs one second
  EXPECT_EQ(ask(meter), Outcome::kWaits);  // three
  EXPECT_EQ(ask(meter), Outcome::kRefusedByRegistration);
  EXPECT_EQ(refused_->retry_after, 5s);
  EXPECT_EQ(timers_.size(), 2u);
}

// IDs can be guessed: a stranger elsewhere must not be able to use up what is the device's.
TEST_F(AdmissionTest, CountsAnIdOfAnotherAddressForItself) {
  while (ask({"192.0.2.66", "0ne/meter-1"}) != Outcome::kRefusedByRegistration) {
  }
  EXPECT_EQ(passing({"192.0.2.1", "0ne/meter-1"}), 10u);
}

TEST_F(AdmissionTest, TakesAnIdInAnotherSpellingForTheSame) {
  EXPECT_EQ(passing({"192.0.2.1", "0ne/meter-1"}), 10u);
  EXPECT_NE(ask({"192.0.2.1", "0NE/Meter-1"}), Outcome::kPassed);
}

TEST_F(AdmissionTest, TakesTheAddressesOfASixtyFourForOneClient) {
  EXPECT_EQ(passing({"2001:db8::1", "0ne/meter-1"}), 10u);
  EXPECT_NE(ask({"2001:db8::2", "0ne/meter-1"}), Outcome::kPassed);
  EXPECT_EQ(ask({"2001:db8:0:1::1", "0ne/meter-1"}), Outcome::kPassed);
}

TEST_F(AdmissionTest, LimitsWhatComesFromOneAddressWhateverTheId) {
  std::size_t passed = 0;
  for (int i = 0; i < 1'000; ++i)
    passed += ask({"192.0.2.1", "0ne/made-up-" + std::to_string(i)}) == Outcome::kPassed ? 1U : 0U;
  EXPECT_EQ(passed, 1'000u);
  Outcome outcome = Outcome::kWaits;
  for (int i = 0; outcome == Outcome::kWaits; ++i)
    outcome = ask({"192.0.2.1", "0ne/more-" + std::to_string(i)});
  EXPECT_EQ(outcome, Outcome::kRefusedByAddress);
  EXPECT_EQ(refused_->retry_after, 1s);
  EXPECT_EQ(ask({"192.0.2.2", "0ne/made-up-1"}), Outcome::kPassed);
}

TEST_F(AdmissionTest, TakesATokenOfTheAddressForARefusalToo) {
  while (ask({"192.0.2.1", "0ne/meter-1"}) != Outcome::kRefusedByRegistration) {
  }
  std::size_t refusals = 0;
  Outcome outcome = Outcome::kRefusedByRegistration;
  for (; refusals < 5'000 && outcome == Outcome::kRefusedByRegistration; ++refusals)
    outcome = ask({"192.0.2.1", "0ne/meter-1"});
  // The address is used up by them: another ID has to wait as well.
  EXPECT_EQ(passing({"192.0.2.1", "0ne/meter-1"}), 0u);
  for (int i = 0; i < 5'000; ++i)
    ask({"192.0.2.1", "0ne/meter-1"});
  EXPECT_NE(ask({"192.0.2.1", "0ne/meter-2"}), Outcome::kPassed);
}

TEST_F(AdmissionTest, BoundsWhatWaitsForEachAddressAndInAll) {
  for (const char* id : {"0ne/a", "0ne/b"}) {
    passing({"192.0.2.1", id});
    for (int i = 1; i < 4; ++i)
      ask({"192.0.2.1", id});
  }
  EXPECT_EQ(timers_.size(), 6u);  // 8 were allowed to wait, 6 may
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_requests_waiting 6\n"));
  // Another address has places left, and two are all there is.
  for (const char* address : {"192.0.2.2", "192.0.2.3"}) {
    passing({address, "0ne/a"});
    ask({address, "0ne/a"});
  }
  EXPECT_EQ(timers_.size(), 8u);
  EXPECT_EQ(ask({"192.0.2.3", "0ne/a"}), Outcome::kRefusedByRegistration);
  // Who is within its rate needs no place.
  EXPECT_EQ(ask({"192.0.2.3", "0ne/b"}), Outcome::kPassed);
  // Places come back with time, and when a server stops.
  advance(3s);
  EXPECT_EQ(timers_.size(), 0u);
  passing({"192.0.2.3", "0ne/a"});
  EXPECT_EQ(timers_.size(), 1u);
  timers_.drop_all();
  EXPECT_THAT(metrics_.text(), HasSubstr("warifu_requests_waiting 0\n"));
}

// The numbers that limits.h gives reasons for.
TEST(RequestLimitsTest, LetAFleetBehindOneAddressComeBackAtOnce) {
  sim::SeededEntropy entropy{1};
  sim::SteppingMonotonicClock clock;
  test::ManualTimers timers;
  Metrics metrics;
  Admission admission{{}, clock, entropy, timers, metrics};
  std::size_t passed = 0;
  for (int round = 0; round < 3; ++round)
    for (int device = 0; device < 10'000; ++device)
      admission.admit({"192.0.2.1", "0ne/meter-" + std::to_string(device), round == 0}, [&] { ++passed; });
  EXPECT_EQ(passed, 30'000u);
}

TEST(RequestLimitsTest, AreAboveAzuresAndMakeNobodyWaitInVain) {
  const RequestLimits limits;
  EXPECT_GE(limits.registration.per_second * 10, 5u);
  EXPECT_GE(limits.wait_max, std::chrono::seconds(1) * limits.challenge_cost / limits.registration.per_second);
  EXPECT_GE(limits.registration.burst, limits.challenge_cost);
  for (const RequestLimits& each : {RequestLimits(), unauthenticated_limits()}) {
    EXPECT_GE(each.wait_max, std::chrono::milliseconds(1'000) / each.address.per_second);
    EXPECT_LE(each.waiting_per_address_max, each.waiting_max / 2);
  }
}

}  // namespace
}  // namespace warifu::front

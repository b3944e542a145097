#include "lifecycle/standing.h"

#include <gtest/gtest.h>

#include <set>

namespace warifu::lifecycle {
namespace {

TEST(May, AnswersForEveryStateWithoutHold) {
  const struct {
    State state;
    bool may_provision;
  } rows[] = {{State::kManufactured, false}, {State::kShipped, false},    {State::kEnrolled, true},
              {State::kProvisioned, true},   {State::kActive, true},      {State::kRetiring, false},
              {State::kRetired, false},      {State::kTransferred, true}, {State::kDisposed, false}};
  for (const auto& row : rows)
    for (const Action action : {Action::kProvision, Action::kCollectAssignment, Action::kObtainCertificate,
                                Action::kUseCertificate, Action::kObtainApplicationKey})
      EXPECT_EQ(may({row.state, Hold::kNone}, action).has_value(), row.may_provision) << to_string(row.state);
}

TEST(May, RefusesWhateverStandsOnHold) {
  for (const Hold hold : {Hold::kSuspended, Hold::kQuarantined, Hold::kPendingApproval}) {
    for (const Action action :
         {Action::kProvision, Action::kObtainCertificate, Action::kUseCertificate, Action::kObtainApplicationKey}) {
      const auto answer = may({State::kActive, hold}, action);
      ASSERT_FALSE(answer) << to_string(hold);
      EXPECT_EQ(answer.error().code, "device.hold");
    }
  }
}

TEST(May, LetsADeviceDepositWhileItsOperatorMayNeedItWhateverTheHold) {
  const std::set<State> allowed = {State::kProvisioned, State::kActive, State::kRetiring};
  for (int i = 0; i <= static_cast<int>(State::kDisposed); ++i) {
    const auto state = static_cast<State>(i);
    for (const Hold hold : {Hold::kNone, Hold::kSuspended, Hold::kQuarantined, Hold::kPendingApproval}) {
      const auto answer = may({state, hold}, Action::kDepositEscrow);
      EXPECT_EQ(answer.has_value(), allowed.contains(state)) << to_string(state) << ", " << to_string(hold);
      EXPECT_TRUE(answer || answer.error().code == "device.state");
    }
  }
}

TEST(May, LetsADeviceAttestWhateverTheHoldUntilItIsRetired) {
  const std::set<State> allowed = {State::kEnrolled, State::kProvisioned, State::kActive, State::kRetiring,
                                   State::kTransferred};
  for (int i = 0; i <= static_cast<int>(State::kDisposed); ++i) {
    const auto state = static_cast<State>(i);
    for (const Hold hold : {Hold::kNone, Hold::kSuspended, Hold::kQuarantined, Hold::kPendingApproval}) {
      const auto answer = may({state, hold}, Action::kAttest);
      EXPECT_EQ(answer.has_value(), allowed.contains(state)) << to_string(state) << ", " << to_string(hold);
      EXPECT_TRUE(answer || answer.error().code == "device.state");
    }
  }
}

TEST(Standing, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(State::kDisposed); ++i)
    EXPECT_EQ(parse_state(to_string(static_cast<State>(i))).value(), static_cast<State>(i));
  for (int i = 0; i <= static_cast<int>(Hold::kPendingApproval); ++i)
    EXPECT_EQ(parse_hold(to_string(static_cast<Hold>(i))).value(), static_cast<Hold>(i));
  EXPECT_FALSE(parse_state("dead"));
  EXPECT_FALSE(parse_hold(""));
}

}  // namespace
}  // namespace warifu::lifecycle

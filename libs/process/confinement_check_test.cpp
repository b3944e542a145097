#include "process/confinement_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace warifu::process {
namespace {

using Network = Confinement::Network;

class ConfinementCheckTest : public testing::TestWithParam<Network> {
 protected:
  void SetUp() override {
    if (::prctl(PR_GET_SECCOMP) < 0) GTEST_SKIP() << "this kernel or emulator has no seccomp";
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "this kernel has no Landlock";
  }
};

TEST_P(ConfinementCheckTest, FindsEverythingRefusedAndMostOfItPossibleBefore) {
  const auto tries = try_forbidden({.network = GetParam(), .has_threads = true, .readable = {}, .writable = {}});
  ASSERT_TRUE(tries) << to_string(tries.error());
  int possible = 0;
  for (const auto& one : *tries) {
    EXPECT_TRUE(one.is_refused) << one.what;
    possible += one.is_possible ? 1 : 0;
  }
  EXPECT_GE(possible, 5) << "what fails anyway shows nothing";
}

INSTANTIATE_TEST_SUITE_P(Networks, ConfinementCheckTest, testing::Values(Network::kUnixSockets, Network::kInternet));

TEST(ConfinementCheck, SeesWhatAConfinementLeavesOpen) {
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "this kernel has no Landlock";
  const auto tries =
      try_forbidden({.network = Network::kUnixSockets, .has_threads = false, .readable = {}, .writable = {"/tmp"}});
  ASSERT_TRUE(tries) << to_string(tries.error());
  int open = 0;
  for (const auto& one : *tries)
    open += one.is_refused ? 0 : 1;
  EXPECT_EQ(open, 3);  // the folder, and reading and writing the file in it
}

}  // namespace
}  // namespace warifu::process

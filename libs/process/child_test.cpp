#include "process/child.h"

#include <gtest/gtest.h>

namespace warifu::process {
namespace {

TEST(Run, ReturnsTheExitCode) {
  EXPECT_EQ(run({"/bin/sh", "-c", "exit 7"}).value(), 7);
  EXPECT_EQ(run({"/bin/true"}).value(), 0);
}

TEST(Run, TellsOfASignal) {
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"}).value(), 128 + 9);
}

TEST(Run, GivesTheChildNoInput) {
  EXPECT_EQ(run({"/bin/sh", "-c", "read line"}).value(), 1);
}

TEST(Run, RefusesAProgramThatIsNotThere) {
  const auto result = run({"/nonexistent/program"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "process.start");
}

TEST(OwnPath, IsThisTest) {
  EXPECT_NE(own_path().value().find("process_test"), std::string::npos);
}

}  // namespace
}  // namespace warifu::process

#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

TEST(Run, GivesTheChildNoneOfOurFiles) {
  const int descriptor = ::open("/dev/null", O_RDONLY);  // NOLINT: not O_CLOEXEC, as a library may open it
  ASSERT_GE(descriptor, 3);
  const auto code = run({"/bin/sh", "-c", fmt::format("test ! -e /proc/self/fd/{}", descriptor)});
  ::close(descriptor);
  EXPECT_EQ(code.value(), 0);
}

TEST(Run, FindsThisVeryProgram) {
  EXPECT_EQ(run({kThisProgram, "--gtest_filter=Run.TellsOfASignal", "--gtest_brief=1"}).value(), 0);
}

}  // namespace
}  // namespace warifu::process

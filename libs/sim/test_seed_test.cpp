#include "sim/test_seed.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace warifu::sim {
namespace {

// What a test of its own would have printed is not lost: the variable is put back.
class TestSeed : public testing::Test {
 protected:
  TestSeed() {
    if (const char* before = std::getenv("WARIFU_TEST_SEED")) before_ = before;
    unsetenv("WARIFU_TEST_SEED");
  }
  ~TestSeed() override {
    before_.empty() ? unsetenv("WARIFU_TEST_SEED") : setenv("WARIFU_TEST_SEED", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

TEST_F(TestSeed, IsNewAtEachRunAndPrinted) {
  testing::internal::CaptureStdout();
  const auto first = drawn_seed();
  const std::string told = testing::internal::GetCapturedStdout();
  EXPECT_NE(told.find("seed " + std::to_string(first) + " "), std::string::npos) << told;
  // Four equal ones in a row: once in 2^96 runs.
  EXPECT_FALSE(drawn_seed() == first && drawn_seed() == first && drawn_seed() == first);
}

TEST_F(TestSeed, IsRepeatedWhenItIsChosen) {
  setenv("WARIFU_TEST_SEED", "4294967295", 1);
  EXPECT_EQ(drawn_seed(), 4294967295u);
  for (const char* bad : {"x", "-1", "4294967296", "1 "}) {
    setenv("WARIFU_TEST_SEED", bad, 1);
    EXPECT_DEATH(drawn_seed(), "WARIFU_TEST_SEED") << bad;
  }
}

}  // namespace
}  // namespace warifu::sim

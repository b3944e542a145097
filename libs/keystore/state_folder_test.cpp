#include "keystore/state_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/temp_dir.h"
#include "keystore/files.h"

namespace warifu::keystore {
namespace {

class StateFolderTest : public testing::Test {
 protected:
  TempDir folder_;
  StateFolder state_{kernel_files(), folder_.path().string()};
};

TEST_F(StateFolderTest, HasNothingAtFirst) {
  const auto found = state_.read("identity");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->has_value());
  EXPECT_TRUE(state_.remove("identity"));
}

TEST_F(StateFolderTest, KeepsTheLastContentForItsOwnerOnly) {
  ASSERT_TRUE(state_.replace("identity", as_bytes("first")));
  ASSERT_TRUE(state_.replace("identity", as_bytes("second")));
  EXPECT_EQ(as_text(**state_.read("identity")), "second");
  struct stat status {};
  ASSERT_EQ(::stat((folder_.path() / "identity").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(StateFolderTest, ForgetsWhatWasRemoved) {
  ASSERT_TRUE(state_.replace("identity", as_bytes("first")));
  ASSERT_TRUE(state_.remove("identity"));
  EXPECT_FALSE(state_.read("identity")->has_value());
}

TEST_F(StateFolderTest, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"", ".", "..", "../x", "a/b", ".hidden", "a b"}) {
    const auto refused = state_.replace(name, as_bytes("x"));
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, "state.name");
  }
}

TEST_F(StateFolderTest, SaysWhyItCannotWrite) {
  StateFolder missing(kernel_files(), (folder_.path() / "missing").string());
  const auto refused = missing.replace("identity", as_bytes("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "file.write");
  EXPECT_THAT(refused.error().message, testing::HasSubstr("No such file"));
}

}  // namespace
}  // namespace warifu::keystore

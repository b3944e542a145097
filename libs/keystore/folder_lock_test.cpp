#include "keystore/folder_lock.h"

#include <gtest/gtest.h>

#include "keystore/test_folder.h"

namespace warifu::keystore {
namespace {

TEST(FolderLock, LetsOneProcessUseAFolder) {
  const TestFolder folder;
  {
    const auto first = FolderLock::acquire(folder.path()).value();
    const auto second = FolderLock::acquire(folder.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
    EXPECT_EQ(second.error().code, "state.in_use");
  }
  EXPECT_TRUE(FolderLock::acquire(folder.path())) << "it is free again";
}

TEST(FolderLock, RefusesWhatIsNoFolder) {
  const TestFolder folder;
  EXPECT_EQ(FolderLock::acquire(folder.path() / "missing").error().code, "file.read");
}

}  // namespace
}  // namespace warifu::keystore

#include "keystore/folder_lock.h"

#include <gtest/gtest.h>

#include "base/temp_dir.h"

namespace warifu::keystore {
namespace {

TEST(FolderLock, LetsOneProcessUseAFolder) {
  const TempDir folder;
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
  const TempDir folder;
  EXPECT_EQ(FolderLock::acquire(folder.path() / "missing").error().code, "file.read");
}

}  // namespace
}  // namespace warifu::keystore

#include "store/data_dir_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "base/temp_dir.h"

namespace warifu::store {
namespace {

TEST(DataDirLock, ASecondIsRefusedByTheProcessOfTheFirst) {
  const TempDir dir;
  auto first = DataDirLock::acquire(dir.path());
  ASSERT_TRUE(first);
  const auto second = DataDirLock::acquire(dir.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(second.error().code, "data_dir.locked");
  EXPECT_THAT(second.error().message, testing::HasSubstr("process " + std::to_string(getpid())));
}

TEST(DataDirLock, IsFreeAgainAfterItsHolder) {
  const TempDir dir;
  {
    auto first = DataDirLock::acquire(dir.path());
    ASSERT_TRUE(first);
    const DataDirLock moved = *std::move(first);
    EXPECT_FALSE(DataDirLock::acquire(dir.path()));
  }
  EXPECT_TRUE(DataDirLock::acquire(dir.path()));
}

TEST(DataDirLock, NamesTheDirectoryThatIsNotThere) {
  const auto absent = DataDirLock::acquire("/nonexistent/warifu");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, "data_dir.io");
  EXPECT_THAT(absent.error().where, testing::HasSubstr("/nonexistent/warifu"));
}

}  // namespace
}  // namespace warifu::store

#include "store/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/sample_records.h"
#include "store/sqlite_store.h"

namespace warifu::store {
namespace {

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = SqliteStore::open({.path = database_, .clock = clock_, .entropy = entropy_});
    ASSERT_TRUE(opened);
    store_ = *std::move(opened);
    ASSERT_TRUE(store_->write([](Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
      for (std::uint64_t i = 0; i < 100; ++i)
        TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(i)));
      return t.audit().record(sample::scope(), {"test", "enroll", "many"});
    }));
  }

  TempDir dir_;
  const std::filesystem::path database_ = dir_.path() / "db";
  const std::filesystem::path copy_ = dir_.path() / "copy";
  sim::SteppingClock clock_{sample::time(0)};
  sim::SeededEntropy entropy_{1};
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(BackupTest, CopiesALiveDatabaseIntoOneFile) {
  std::atomic<bool> stop = false;
  std::thread writing([&] {
    for (std::uint64_t i = 1000; !stop; ++i)
      EXPECT_TRUE(store_->write([i](Transaction& t) -> Status {
        TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(i)));
        return t.audit().record(sample::scope(), {"test", "enroll", "one"});
      }));
  });
  const Status copied = backup_database(database_, copy_);
  stop = true;
  writing.join();
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_TRUE(check_database(copy_));
  for (const auto& file : std::filesystem::directory_iterator(dir_.path()))
    EXPECT_THAT(file.path().filename().string(), testing::AnyOf("db", "db-wal", "db-shm", "copy"));

  auto restored = SqliteStore::open({.path = copy_, .clock = clock_, .entropy = entropy_});
  ASSERT_TRUE(restored);
  EXPECT_TRUE((*restored)->read([](Snapshot& s) -> Status {
    for (std::uint64_t i = 0; i < 100; ++i) {
      TRY(const auto found, s.provisioning().find_enrollment(sample::scope(), sample::registration(i)));
      EXPECT_TRUE(found);
    }
    return {};
  }));
}

TEST_F(BackupTest, DoesNotOverwriteAndLeavesNothingBehindAnError) {
  std::ofstream(copy_) << "mine";
  const Status refused = backup_database(database_, copy_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "backup.exists");
  EXPECT_EQ(backup_database(dir_.path() / "absent", dir_.path() / "other").error().code, "store.io");
  EXPECT_EQ(backup_database(database_, dir_.path() / "absent" / "copy").error().code, "store.io");
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "other"));
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "other.partial"));
}

TEST_F(BackupTest, ADamagedCopyIsRecognised) {
  ASSERT_TRUE(backup_database(database_, copy_));
  const auto size = std::filesystem::file_size(copy_);
  for (const std::uintmax_t kept : {size / 2, std::uintmax_t{100}, std::uintmax_t{20}}) {
    std::filesystem::resize_file(copy_, kept);
    EXPECT_EQ(check_database(copy_).error().code, "store.corrupt") << kept;
  }
  EXPECT_EQ(check_database(dir_.path() / "absent").error().code, "store.io");
  std::filesystem::resize_file(copy_, 0);
  EXPECT_EQ(check_database(copy_).error().code, "store.schema.older");
}

TEST_F(BackupTest, AFlippedBitInAnIndexIsFound) {
  ASSERT_TRUE(backup_database(database_, copy_));
  ASSERT_TRUE(check_database(copy_));
  std::fstream file(copy_, std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  // The first place is in a table, the last in an index over it.
  const auto at = bytes.rfind(sample::registration(7).text());
  ASSERT_NE(at, std::string::npos);
  file.seekp(static_cast<std::streamoff>(at));
  file.put('X');
  file.close();
  EXPECT_EQ(check_database(copy_).error().code, "store.corrupt");
}

}  // namespace
}  // namespace warifu::store

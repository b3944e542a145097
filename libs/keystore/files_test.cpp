#include "keystore/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "keystore/test_folder.h"

namespace warifu::keystore {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

class FilesTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  const fs::path file_ = folder_.path() / "file";
};

TEST_F(FilesTest, ReplacesAFileWhole) {
  ASSERT_TRUE(write_file(file_, as_bytes("first, and longer"), FileMode::kPrivate));
  ASSERT_TRUE(write_file(file_, as_bytes("second"), FileMode::kPrivate));
  EXPECT_EQ(read_file(file_).value(), "second");
  EXPECT_EQ(as_text(read_secret_file(file_)->reveal()), "second");
  EXPECT_FALSE(fs::exists(folder_.path() / "file.new"));
}

TEST_F(FilesTest, KeepsTheOldContentWhenTheNewOneCannotBeWritten) {
  ASSERT_TRUE(write_file(file_, as_bytes("old"), FileMode::kPrivate));
  // As if the disk refused: the new file's name is taken by a folder.
  ASSERT_TRUE(fs::create_directory(folder_.path() / "file.new"));
  const Status refused = write_file(file_, as_bytes("new"), FileMode::kPrivate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "file.write");
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(read_file(file_).value(), "old");
}

TEST_F(FilesTest, TakesOverWhatAPowerLossLeftHalfWritten) {
  std::ofstream(folder_.path() / "file.new") << "half of a file that was never renamed";
  ASSERT_TRUE(write_file(file_, as_bytes("whole"), FileMode::kPrivate));
  EXPECT_EQ(read_file(file_).value(), "whole");
}

TEST_F(FilesTest, DoesNotFollowALinkThatSomebodyPlanted) {
  const fs::path victim = folder_.path() / "victim";
  ASSERT_TRUE(write_file(victim, as_bytes("untouched"), FileMode::kPrivate));
  fs::create_symlink(victim, folder_.path() / "file.new");
  ASSERT_TRUE(write_file(file_, as_bytes("new"), FileMode::kPrivate));
  EXPECT_EQ(read_file(victim).value(), "untouched");
  EXPECT_FALSE(fs::is_symlink(file_));
}

TEST_F(FilesTest, LetsOnlyTheOwnerReadWhatIsPrivate) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(write_file(file_, as_bytes("x"), FileMode::kPrivate));
  EXPECT_EQ(mode_of(file_), 0600u);
  ASSERT_TRUE(write_file(file_, as_bytes("x"), FileMode::kPublic));
  EXPECT_EQ(mode_of(file_), 0644u);
  ASSERT_TRUE(make_private_folder(folder_.path() / "folder"));
  EXPECT_EQ(mode_of(folder_.path() / "folder"), 0700u);
  ::umask(before);
}

// A left-over of a crashed write must not lend its wider mode to a key, nor the key to whoever has it open.
TEST_F(FilesTest, LetsOnlyTheOwnerReadWhatIsPrivateThoughALeftOverWasPublic) {
  std::ofstream(folder_.path() / "file.new") << "left over";
  fs::permissions(folder_.path() / "file.new", fs::perms(0644));
  std::ifstream opened_before(folder_.path() / "file.new");
  ASSERT_TRUE(write_file(file_, as_bytes("key"), FileMode::kPrivate));
  EXPECT_EQ(mode_of(file_), 0600u);
  std::string seen;
  std::getline(opened_before, seen);
  EXPECT_EQ(seen, "left over");
}

TEST_F(FilesTest, RefusesToReadWhatIsNoFileOrTooLarge) {
  EXPECT_EQ(read_file(file_).error().code, "file.read");
  EXPECT_EQ(read_file(folder_.path()).error().code, "file.read");
  EXPECT_EQ(read_file("/dev/zero").error().code, "file.read");
  ASSERT_TRUE(write_file(file_, Bytes(1 << 20, 'x'), FileMode::kPrivate));
  EXPECT_TRUE(read_file(file_));
  ASSERT_TRUE(write_file(file_, Bytes((1 << 20) + 1, 'x'), FileMode::kPrivate));
  EXPECT_EQ(read_file(file_).error().code, "file.read");
}

TEST_F(FilesTest, NamesTheFileThatCouldNotBeRead) {
  EXPECT_NE(read_file(file_).error().message.find(file_.string()), std::string::npos);
}

TEST_F(FilesTest, MakesAFolderOnceAndNotOverAFile) {
  EXPECT_TRUE(make_private_folder(folder_.path() / "folder"));
  EXPECT_TRUE(make_private_folder(folder_.path() / "folder"));
  ASSERT_TRUE(write_file(file_, as_bytes("x"), FileMode::kPrivate));
  EXPECT_EQ(make_private_folder(file_).error().code, "file.write");
  EXPECT_FALSE(make_private_folder(folder_.path() / "missing" / "folder"));
}

}  // namespace
}  // namespace warifu::keystore

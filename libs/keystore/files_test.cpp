#include "keystore/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/temp_dir.h"

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
  std::ptrdiff_t files_in_folder() const {
    return std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator());
  }

  TempDir folder_;
  const fs::path file_ = folder_.path() / "file";
};

// No file of this process grows beyond `bytes` until the end of the scope: the disk as good as refuses.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(FilesTest, RemovesWhatPowerCutsLeftUnfinishedAndNothingElse) {
  ASSERT_TRUE(write_file(file_, as_bytes("whole"), FileMode::kPrivate));
  for (int cuts = 0; cuts < 3; ++cuts)
    ASSERT_TRUE(kernel_files().write_new(file_.string(), as_bytes("half"), FileMode::kPrivate));
  ASSERT_EQ(files_in_folder(), 4);
  ASSERT_TRUE(remove_unfinished(folder_.path()));
  EXPECT_EQ(files_in_folder(), 1);
  EXPECT_EQ(read_file(file_).value(), "whole");
  EXPECT_EQ(remove_unfinished(folder_.path() / "missing").error().code, "file.read");
}

TEST_F(FilesTest, ReplacesAFileWhole) {
  ASSERT_TRUE(write_file(file_, as_bytes("first, and longer"), FileMode::kPrivate));
  ASSERT_TRUE(write_file(file_, as_bytes("second"), FileMode::kPrivate));
  EXPECT_EQ(read_file(file_).value(), "second");
  EXPECT_EQ(as_text(read_secret_file(file_)->reveal()), "second");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(FilesTest, KeepsTheOldContentWhenTheNewOneCannotBeWritten) {
  ASSERT_TRUE(write_file(file_, as_bytes("old"), FileMode::kPrivate));
  const Status refused = [&] {
    const SmallFiles limit(1);
    return write_file(file_, as_bytes("new"), FileMode::kPrivate);
  }();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "file.write");
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(read_file(file_).value(), "old");
  EXPECT_EQ(files_in_folder(), 1) << "what was written of the new one is taken away";
}

TEST_F(FilesTest, LeavesNothingBesideAFolderThatItCannotReplace) {
  ASSERT_TRUE(fs::create_directory(file_));
  EXPECT_FALSE(write_file(file_, as_bytes("new"), FileMode::kPrivate));
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(FilesTest, LetsTwoWriteTheSameFileAtOnce) {
  const std::string contents[] = {std::string(5000, 'a'), std::string(3000, 'b')};
  int refused[2] = {};
  const auto write = [&](int who) {
    for (int i = 0; i < 50; ++i)
      if (!write_file(file_, as_bytes(contents[who]), FileMode::kPrivate)) ++refused[who];
  };
  std::thread other(write, 1);
  write(0);
  other.join();
  EXPECT_EQ(refused[0] + refused[1], 0);
  const auto content = read_file(file_).value();
  EXPECT_TRUE(content == contents[0] || content == contents[1]);
  EXPECT_EQ(files_in_folder(), 1);
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
  EXPECT_TRUE(make_private_folder(folder_.path() / "folder" / ""));
  ASSERT_TRUE(write_file(file_, as_bytes("x"), FileMode::kPrivate));
  EXPECT_EQ(make_private_folder(file_).error().code, "file.write");
  EXPECT_FALSE(make_private_folder(folder_.path() / "missing" / "folder"));
}

TEST_F(FilesTest, TakesAFolderThatSomebodyNamesOnlyIfItIsPrivateAlready) {
  const fs::path folder = folder_.path() / "folder";
  for (const fs::path& named : {folder, folder, folder / "", folder / ".", folder / "." / ""})
    EXPECT_TRUE(make_or_take_private_folder(named)) << named;
  EXPECT_EQ(mode_of(folder), 0700u);
  for (const unsigned open : {0755U, 0777U, 0710U, 0701U}) {
    fs::permissions(folder, fs::perms(open));
    EXPECT_EQ(make_or_take_private_folder(folder).error().code, "file.folder") << open;
    EXPECT_EQ(mode_of(folder), open) << "it is not this function's";
  }
  fs::permissions(folder, fs::perms(0500));
  EXPECT_TRUE(make_or_take_private_folder(folder));
  EXPECT_EQ(mode_of(folder), 0500u);
}

TEST_F(FilesTest, TakesNoLinkNoFileAndNoFolderOfAnotherUser) {
  const fs::path folder = folder_.path() / "folder", link = folder_.path() / "link";
  ASSERT_TRUE(make_or_take_private_folder(folder));
  fs::create_symlink(folder, link);
  for (const fs::path& named : {link, link / "", link / ".", link / "." / ""})
    EXPECT_EQ(make_or_take_private_folder(named).error().code, "file.folder") << named;
  fs::remove(link);
  fs::create_symlink(folder_.path() / "missing", link);
  EXPECT_EQ(make_or_take_private_folder(link).error().code, "file.folder");
  ASSERT_TRUE(write_file(file_, as_bytes("x"), FileMode::kPrivate));
  EXPECT_EQ(make_or_take_private_folder(file_).error().code, "file.folder");
  EXPECT_EQ(make_or_take_private_folder(folder_.path() / "missing" / "folder").error().code, "file.write");
  // Only root can give a folder away; who is not root finds root's everywhere.
  const bool is_given_away = ::geteuid() == 0 && ::chown(folder.c_str(), 54321, 54321) == 0;
  EXPECT_EQ(make_or_take_private_folder(is_given_away ? folder : fs::path("/")).error().code, "file.folder");
}

TEST_F(FilesTest, ClosesAFolderThatWasOpenToOthers) {
  for (const unsigned open : {0755U, 0777U, 0710U, 0701U}) {
    const fs::path folder = folder_.path() / std::to_string(open);
    ASSERT_TRUE(fs::create_directory(folder));
    fs::permissions(folder, fs::perms(open));
    ASSERT_TRUE(make_private_folder(folder));
    EXPECT_EQ(mode_of(folder), 0700u);
  }
}

}  // namespace
}  // namespace warifu::keystore

#include "device_config/trusted_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/temp_dir.h"
#include "device_config/device_config.h"

namespace warifu::device_config {
namespace {

namespace fs = std::filesystem;

class TrustedFileTest : public testing::Test {
 protected:
  TrustedFileTest() {
    fs::create_directory(folder_ / "etc");
    ::chmod((folder_ / "etc").c_str(), 0755);
    write("hello");
  }

  void write(std::string_view text) {
    std::ofstream(file_path()) << text;
    ::chmod(file_path().c_str(), 0644);
  }
  fs::path file_path() const { return folder_ / "etc" / "device.toml"; }
  std::string_view code(std::size_t size_max = 100) const {
    const auto text = read_trusted_file(file_path(), size_max);
    return text ? "" : text.error().code;
  }

  const TempDir temp_dir_;
  const fs::path& folder_ = temp_dir_.path();
};

TEST_F(TrustedFileTest, ReadsWhatOnlyItsOwnerCanWrite) {
  EXPECT_EQ(read_trusted_file(file_path(), 5).value(), "hello");
}

TEST_F(TrustedFileTest, RefusesAFileThatOthersCanWrite) {
  for (const mode_t mode : {0664U, 0646U, 0666U}) {
    ::chmod(file_path().c_str(), mode);
    EXPECT_EQ(code(), "config.writable") << mode;
  }
}

TEST_F(TrustedFileTest, RefusesAFileInAFolderThatOthersCanWrite) {
  for (const char* folder : {"etc", "."}) {
    ::chmod((folder_ / folder).c_str(), 0777);
    EXPECT_EQ(code(), "config.writable") << folder;
    // They can put another in its place, unless only the owner may remove it.
    ::chmod((folder_ / folder).c_str(), 01777);
    EXPECT_EQ(code(), "") << folder;
    ::chmod((folder_ / folder).c_str(), 0700);
  }
}

TEST_F(TrustedFileTest, RefusesAFileOfAnotherUser) {
  if (::chown(file_path().c_str(), 54321, 54321) != 0) GTEST_SKIP() << "only root can give a file away";
  EXPECT_EQ(code(), "config.writable");
}

TEST_F(TrustedFileTest, JudgesTheFileThatALinkLeadsTo) {
  fs::rename(file_path(), folder_ / "real");
  fs::create_symlink(folder_ / "real", file_path());
  EXPECT_EQ(code(), "");
  ::chmod((folder_ / "real").c_str(), 0666);
  EXPECT_EQ(code(), "config.writable");
}

TEST_F(TrustedFileTest, RefusesWhatIsMissingTooLargeOrNoFile) {
  EXPECT_EQ(code(4), "config.size");
  fs::remove(file_path());
  EXPECT_EQ(code(), "config.file");
  ASSERT_EQ(::mkfifo(file_path().c_str(), 0600), 0);
  EXPECT_EQ(code(), "config.file");
}

TEST_F(TrustedFileTest, TakesMemoryForWhatAFileHoldsAndNotForWhatItMayHold) {
  constexpr std::size_t kMoreThanAnyMachineHas = std::size_t{1} << 60;
  EXPECT_EQ(read_trusted_file(file_path(), kMoreThanAnyMachineHas).value(), "hello");
  const std::string large(200'000, 'x');
  write(large);
  EXPECT_EQ(read_trusted_file(file_path(), large.size()).value(), large);
  EXPECT_EQ(code(large.size() - 1), "config.size");
}

TEST_F(TrustedFileTest, RefusesASecretThatEverybodyCanRead) {
  EXPECT_EQ(read_trusted_secret(file_path(), 100).error().code, "config.readable");
  for (const mode_t mode : {0640U, 0600U, 0400U}) {
    ::chmod(file_path().c_str(), mode);
    const auto secret = read_trusted_secret(file_path(), 100);
    ASSERT_TRUE(secret) << mode;
    EXPECT_EQ(as_text(secret->reveal()), "hello");
  }
  ::chmod(file_path().c_str(), 0660);
  EXPECT_EQ(read_trusted_secret(file_path(), 100).error().code, "config.writable");
}

TEST_F(TrustedFileTest, AConfigurationSaysFileAndLine) {
  write("[server]\nurl = 1\n");
  const auto config = load(file_path());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().where, file_path().string() + ", line 2");
}

TEST_F(TrustedFileTest, AConfigurationThatOthersCanWriteIsNotRead) {
  write("[server]\nurl = \"https://a\"\nroot = \"/r\"\n[device]\nid_scope = \"0ne1\"\n");
  EXPECT_TRUE(load(file_path()));
  ::chmod(file_path().c_str(), 0666);
  EXPECT_EQ(load(file_path()).error().code, "config.writable");
}

}  // namespace
}  // namespace warifu::device_config

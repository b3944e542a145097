#include "signing_keys/key_files.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/temp_dir.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "signing_keys/file_keys.h"
#include "signing_keys/tpm_keys.h"

namespace warifu::signing_keys {
namespace {

namespace fs = std::filesystem;

class KeyFolder : public testing::Test {
 protected:
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const TempDir test_folder_;
  const fs::path folder_ = test_folder_.path();
  crypto::SystemEntropy entropy_;
};

TEST_F(KeyFolder, AFileIsPublishedOnceAndNeverReplaced) {
  const auto path = folder_ / "root.key";
  EXPECT_FALSE(has_file(path).value());
  EXPECT_TRUE(publish(path, "first").value());
  EXPECT_FALSE(publish(path, "second").value());
  EXPECT_EQ(keystore::read_file(path).value(), "first");
  EXPECT_TRUE(has_file(path).value());
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(files(), 1U) << "nothing unfinished is left";
  EXPECT_EQ(publish(folder_ / "none" / "root.key", "first").error().code, "file.write");
}

// A loop of links stands for whatever keeps us out: the tests may run as root, who may enter anything.
TEST_F(KeyFolder, ThatCannotBeReadIsNotEmpty) {
  fs::create_symlink(folder_ / "loop", folder_ / "loop");
  const auto root = KeyName::parse("root").value();
  FileKeys keys(folder_ / "loop", SecretBytes(), entropy_, {64, 1, 1});
  EXPECT_EQ(keys.open(root).error().code, "file.read");
  EXPECT_EQ(keys.generate(root, crypto::EcCurve::kP256).error().code, "file.read");
  EXPECT_EQ(TpmKeys::open("device:/nonexistent", folder_ / "loop").error().code, "file.read");
}

// Whoever takes the pin away would have the keys' sessions salted to a TPM of his own. It is found before any TPM is
// asked.
TEST_F(KeyFolder, WithKeysOfATpmAndWithoutItsPinIsRefused) {
  const auto code = [&] { return std::string(TpmKeys::open("device:/nonexistent", folder_).error().code); };
  EXPECT_EQ(code(), "tpm.absent");
  ASSERT_TRUE(publish(folder_ / "root.tpm-key", "{}"));
  EXPECT_EQ(code(), "tpm.ek.unpinned");
  ASSERT_TRUE(publish(folder_ / "ek-name", "000b" + std::string(64, '0') + "\n"));
  EXPECT_EQ(code(), "tpm.absent");
}

}  // namespace
}  // namespace warifu::signing_keys

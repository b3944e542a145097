#include "keystore/master_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/temp_dir.h"
#include "crypto/envelope.h"
#include "keystore/files.h"
#include "sim/deterministic.h"

namespace warifu::keystore {
namespace {

namespace fs = std::filesystem;

class MasterKeyTest : public ::testing::Test {
 protected:
  MasterKeyTest() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
  ~MasterKeyTest() override { ::unsetenv("CREDENTIALS_DIRECTORY"); }

  static bool same(const MasterKey& a, const MasterKey& b) {
    return equal_constant_time(a.envelope_key().reveal(), b.envelope_key().reveal());
  }
  static SecretBytes passphrase(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

  TempDir folder_;
  DataDir data_dir_{folder_.path() / "data"};
  sim::SeededEntropy entropy_{1};
};

TEST_F(MasterKeyTest, IsTheSameAfterItWasSaved) {
  ASSERT_TRUE(data_dir_.create());
  const auto key = MasterKey::generate(entropy_);
  ASSERT_TRUE(key.save(data_dir_));
  EXPECT_TRUE(same(MasterKey::load(data_dir_).value(), key));
  EXPECT_FALSE(same(MasterKey::generate(entropy_), key));
  struct stat status {};
  ASSERT_EQ(::stat(data_dir_.master_key().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600u);
}

TEST_F(MasterKeyTest, IsRefusedWithOneByteMoreOrLess) {
  ASSERT_TRUE(data_dir_.create());
  for (const std::size_t size : {0u, 31u, 33u, 64u}) {
    ASSERT_TRUE(write_file(data_dir_.master_key(), Bytes(size, 7), FileMode::kPrivate));
    const auto loaded = MasterKey::load(data_dir_);
    ASSERT_FALSE(loaded) << size;
    EXPECT_EQ(loaded.error().code, "master_key.form");
  }
  fs::remove(data_dir_.master_key());
  EXPECT_EQ(MasterKey::load(data_dir_).error().kind, ErrorKind::kUnavailable);
}

TEST_F(MasterKeyTest, ComesFromSystemdWhenItHandsOneOver) {
  ASSERT_TRUE(data_dir_.create());
  const auto on_disk = MasterKey::generate(entropy_);
  ASSERT_TRUE(on_disk.save(data_dir_));
  ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", folder_.path().c_str(), 1), 0);
  EXPECT_TRUE(same(MasterKey::load(data_dir_).value(), on_disk));
  ASSERT_TRUE(write_file(folder_.path() / "warifu-master-key", Bytes(32, 7), FileMode::kPrivate));
  EXPECT_FALSE(same(MasterKey::load(data_dir_).value(), on_disk));
}

TEST_F(MasterKeyTest, DerivesAnotherKeyForEachPurpose) {
  const auto key = MasterKey::generate(entropy_);
  EXPECT_EQ(key.envelope_key().size(), crypto::kEnvelopeKeySize);
  EXPECT_EQ(key.key_passphrase().size(), 64u);
  EXPECT_NE(to_hex(key.envelope_key().reveal()), as_text(key.key_passphrase().reveal()));
  EXPECT_TRUE(same(key, key.clone()));
}

TEST_F(MasterKeyTest, UnwrapsWithItsPassphraseAndNoOther) {
  const auto key = MasterKey::generate(entropy_);
  const auto wrapped = key.wrap(passphrase("correct horse"), entropy_).value();
  EXPECT_TRUE(same(MasterKey::unwrap(wrapped, passphrase("correct horse")).value(), key));
  for (const std::string_view wrong : {"", "correct horse "}) {
    const auto answer = MasterKey::unwrap(wrapped, passphrase(wrong));
    ASSERT_FALSE(answer) << wrong;
    EXPECT_EQ(answer.error().code, "backup.passphrase");
    EXPECT_EQ(answer.error().kind, ErrorKind::kRefused);
  }
}

TEST_F(MasterKeyTest, IsRefusedWhenTheWrappedFormIsDamaged) {
  const auto key = MasterKey::generate(entropy_);
  const std::string wrapped = key.wrap(passphrase("p"), entropy_).value();
  // None of these gets as far as the costly derivation.
  for (std::size_t size = 0; size < wrapped.size(); ++size)
    ASSERT_FALSE(MasterKey::unwrap(std::string_view(wrapped).substr(0, size), passphrase("p"))) << size;

  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = wrapped;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::string rows[] = {
      "[]",
      with("\"n\":131072", "\"n\":131073"),
      with("\"n\":131072", "\"n\":1073741824"),
      with("\"n\":131072", "\"n\":0"),
      with("\"n\":131072", "\"n\":-1"),
      with("\"r\":8", "\"r\":0"),
      with("\"r\":8", "\"r\":4294967296"),
      with("\"p\":1", "\"p\":4294967295"),
      with("\"p\":1", "\"p\":0"),
      with("\"salt\":\"", "\"salt\":\"!"),
      with("\"master_key\":\"", "\"master_key\":\"A"),
      with("\"master_key\":", "\"other\":"),
  };
  for (const auto& row : rows)
    EXPECT_FALSE(MasterKey::unwrap(row, passphrase("p"))) << row;
}

}  // namespace
}  // namespace warifu::keystore

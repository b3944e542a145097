#include "crypto/cms.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/temp_dir.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

using std::chrono::hours;

constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));
constexpr std::string_view kText = R"({"kind":"tpm-lockout-auth","auth":"00ff"})";

Certificate recipient_of(const PrivateKey& key) {
  SystemEntropy entropy;
  return *issue_certificate(
      {.common_name = "escrow", .not_before = kNow, .not_after = kNow + hours(24), .key_agreement = true},
      key.public_key(), nullptr, key, entropy);
}

Bytes encrypted_to(const PrivateKey& key) {
  return cms_encrypt(recipient_of(key), SecretBytes::copy_of(as_bytes(kText))).value();
}

TEST(Cms, OpensForItsRecipientOnly) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const Bytes message = encrypted_to(key);
    const auto opened = cms_decrypt(key, message);
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_EQ(as_text(opened->reveal()), kText);
    EXPECT_EQ(cms_decrypt(PrivateKey::generate(kind), message).error().code, "crypto.cms.refused");
    EXPECT_EQ(as_text(message).find("lockout"), std::string_view::npos) << "it stands there in clear";
    EXPECT_NE(message, encrypted_to(key)) << "each message has a key of its own";
  }
}

// The judge is the program that an operator has when nothing of ours runs any more.
TEST(Cms, OpensWithTheOpensslProgram) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const PrivateKey key = PrivateKey::generate(kind);
    const TempDir folder;
    const std::filesystem::path& directory = folder.path();
    const auto write = [&](const char* name, ByteView content) {
      std::ofstream(directory / name, std::ios::binary) << as_text(content);
    };
    write("message.der", encrypted_to(key));
    write("key.pem", key.to_pem().reveal());
    write("other.pem", PrivateKey::generate(kind).to_pem().reveal());
    const auto decrypt = [&](const std::string& key_file) {
      return std::system(("cd " + directory.string() + " && openssl cms -decrypt -binary -inform DER -in message.der " +
                          "-inkey " + key_file + " -out plain >log 2>&1")
                             .c_str());
    };
    ASSERT_EQ(decrypt("key.pem"), 0);
    std::ostringstream plain;
    plain << std::ifstream(directory / "plain", std::ios::binary).rdbuf();
    EXPECT_EQ(plain.str(), kText);
    EXPECT_NE(decrypt("other.pem"), 0);
  }
}

TEST(Cms, IsRefusedWhenAByteOfItDiffers) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const Bytes message = encrypted_to(key);
  // What tells the recipient apart (its certificate's issuer and serial) is not protected; the key, the content and
  // what authenticates it are.
  std::size_t opened_as_before = 0;
  for (std::size_t i = 0; i < message.size(); ++i) {
    Bytes changed = message;
    changed[i] ^= 1;
    const auto opened = cms_decrypt(key, changed);
    if (!opened) continue;
    EXPECT_EQ(as_text(opened->reveal()), kText) << "byte " << i;
    ++opened_as_before;
  }
  EXPECT_LT(opened_as_before, message.size() / 3);
}

TEST(Cms, IsRefusedCutOffOrFollowedByMore) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  Bytes message = encrypted_to(key);
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_FALSE(cms_decrypt(key, ByteView(message).first(size))) << size;
  message.push_back(0);
  EXPECT_EQ(cms_decrypt(key, message).error().code, "crypto.cms.form");
  EXPECT_EQ(cms_decrypt(key, as_bytes("nothing of the kind")).error().code, "crypto.cms.form");
}

TEST(Cms, IsMadeForEcKeysOnly) {
  const auto refused = cms_encrypt(recipient_of(PrivateKey::generate(KeyKind::kRsa2048)), SecretBytes(16));
  EXPECT_EQ(refused.error().code, "crypto.cms.recipient");
}

}  // namespace
}  // namespace warifu::crypto

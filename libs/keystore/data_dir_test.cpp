#include "keystore/data_dir.h"

#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "keystore/files.h"
#include "sim/deterministic.h"

namespace warifu::keystore {
namespace {

namespace fs = std::filesystem;

class DataDirTest : public ::testing::Test {
 protected:
  crypto::Certificate certificate(const crypto::PrivateKey& key) {
    const Timestamp now{std::chrono::seconds(1'790'000'000)};
    return crypto::issue_certificate(
               {.common_name = "node", .not_before = now, .not_after = now + std::chrono::days(1)}, key.public_key(),
               nullptr, key, entropy_)
        .value();
  }
  static SecretBytes passphrase(std::string_view text) { return SecretBytes::copy_of(as_bytes(text)); }

  TempDir folder_;
  DataDir data_dir_{folder_.path() / "data"};
  sim::SeededEntropy entropy_{1};
  crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
};

TEST_F(DataDirTest, IsMadeForItsOwnerOnly) {
  ASSERT_TRUE(data_dir_.create());
  for (const char* folder : {"", "trust", "roles", "node", "secrets", "database"})
    EXPECT_EQ(fs::status(data_dir_.path() / folder).permissions(), fs::perms(0700)) << folder;
}

TEST_F(DataDirTest, IsNotMadeOverAnOrganisation) {
  for (const fs::path& there : {data_dir_.database(), data_dir_.node_identity()}) {
    fs::remove_all(data_dir_.path());
    ASSERT_TRUE(data_dir_.create());
    ASSERT_TRUE(data_dir_.create()) << "an empty one may be made again";
    ASSERT_TRUE(write_file(there, as_bytes("x"), FileMode::kPrivate));
    const Status again = data_dir_.create();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, "data_dir.exists");
    EXPECT_EQ(read_file(there).value(), "x");
  }
}

TEST_F(DataDirTest, SaysWhenItWasNeverInitialised) {
  EXPECT_EQ(data_dir_.check().error().code, "data_dir.missing");
  ASSERT_TRUE(data_dir_.create());
  EXPECT_EQ(data_dir_.check().error().code, "data_dir.missing");
  ASSERT_TRUE(write_file(data_dir_.database(), as_bytes("x"), FileMode::kPrivate));
  EXPECT_EQ(data_dir_.check().error().code, "data_dir.missing") << "a database alone is no organisation";
}

TEST_F(DataDirTest, IsInitialisedThoughItsDatabaseIsElsewhere) {
  ASSERT_TRUE(data_dir_.create());
  const auto leaf = certificate(key_);
  ASSERT_TRUE(data_dir_.write_node(leaf, leaf, key_, passphrase("right"), entropy_));
  EXPECT_TRUE(data_dir_.check());
}

TEST_F(DataDirTest, KeepsTheTrustRoot) {
  ASSERT_TRUE(data_dir_.create());
  const auto root = certificate(key_);
  ASSERT_TRUE(data_dir_.write_trust_root(root));
  EXPECT_EQ(data_dir_.read_trust_root()->to_der(), root.to_der());
}

TEST_F(DataDirTest, KeepsTheCertificatesOfRoles) {
  ASSERT_TRUE(data_dir_.create());
  const auto role = certificate(key_);
  ASSERT_TRUE(data_dir_.write_role_certificate("server-communication", role));
  EXPECT_EQ(data_dir_.read_role_certificate("server-communication")->to_der(), role.to_der());
  EXPECT_FALSE(data_dir_.read_role_certificate("escrow"));
}

TEST_F(DataDirTest, KeepsANodesKeyAndChainTogether) {
  ASSERT_TRUE(data_dir_.create());
  const auto issuer_key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto leaf = certificate(key_);
  const auto issuer = certificate(issuer_key);
  ASSERT_TRUE(data_dir_.write_node(leaf, issuer, key_, passphrase("right"), entropy_));
  const auto node = data_dir_.read_node(passphrase("right"));
  ASSERT_TRUE(node);
  EXPECT_TRUE(node->key.public_key() == key_.public_key());
  ASSERT_EQ(node->chain.size(), 2u);
  EXPECT_EQ(node->chain[0].to_der(), leaf.to_der());
  EXPECT_EQ(node->chain[1].to_der(), issuer.to_der());
  EXPECT_EQ(data_dir_.read_node_chain()->size(), 2u);
  EXPECT_FALSE(data_dir_.read_node(passphrase("wrong")));
}

TEST_F(DataDirTest, RefusesANodesFileThatIsCut) {
  ASSERT_TRUE(data_dir_.create());
  const auto leaf = certificate(key_);
  ASSERT_TRUE(data_dir_.write_node(leaf, leaf, key_, passphrase("right"), entropy_));
  const auto pem = read_file(data_dir_.node_identity()).value();
  for (std::size_t size : {std::size_t{0}, pem.size() / 4, pem.size() / 2, pem.size() - 2}) {
    ASSERT_TRUE(write_file(data_dir_.node_identity(), as_bytes(pem.substr(0, size)), FileMode::kPrivate));
    EXPECT_FALSE(data_dir_.read_node(passphrase("right"))) << size;
  }
}

}  // namespace
}  // namespace warifu::keystore

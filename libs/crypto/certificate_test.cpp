#include "crypto/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/temp_dir.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));

class Certificates : public testing::Test {
 protected:
  Certificate ca(const PrivateKey& key, std::string name = "Warifu CA") {
    return *issue_certificate({.common_name = std::move(name),
                               .organization = "Warifu",
                               .not_before = kNow,
                               .not_after = kNow + hours(24 * 3650),
                               .is_ca = true,
                               .path_length = 0},
                              key.public_key(), nullptr, key, entropy_);
  }
  static CertificateProfile server_profile() {
    return {.common_name = "node-1",
            .not_before = kNow,
            .not_after = kNow + hours(24 * 90),
            .dns_names = {"localhost", "*.example.org"},
            .ip_addresses = {"127.0.0.1", "::1"},
            .server_auth = true};
  }

  SystemEntropy entropy_;
};

// openssl's own program has the last word on what we issue.
TEST_F(Certificates, AreAcceptedByOpensslVerify) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const PrivateKey ca_key = PrivateKey::generate(kind);
    const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
    const Certificate root = ca(ca_key);
    const auto leaf = issue_certificate(server_profile(), key.public_key(), &root, ca_key, entropy_);
    ASSERT_TRUE(leaf);

    const TempDir folder;
    const std::filesystem::path& directory = folder.path();
    std::ofstream(directory / "ca.pem") << root.to_pem();
    std::ofstream(directory / "leaf.pem") << leaf->to_pem();
    const auto verify = [&](const std::string& options) {
      const std::string command = "cd " + directory.string() + " && openssl verify -x509_strict -attime 1767229200 " +
                                  "-CAfile ca.pem " + options + " leaf.pem >/dev/null 2>&1";
      return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, and no input of others in it
    };
    EXPECT_TRUE(verify("-purpose sslserver -verify_hostname localhost -verify_ip 127.0.0.1"));
    EXPECT_TRUE(verify("-purpose sslserver -verify_hostname a.example.org -verify_ip ::1"));
    EXPECT_FALSE(verify("-purpose sslclient"));
    EXPECT_FALSE(verify("-purpose sslserver -verify_hostname other.org"));
    EXPECT_FALSE(verify("-attime 1767225599"));
  }
}

TEST_F(Certificates, SayWhatTheProfileSays) {
  const PrivateKey ca_key = PrivateKey::generate(KeyKind::kEcP256);
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP384);
  const Certificate root = ca(ca_key);
  const auto leaf = issue_certificate(server_profile(), key.public_key(), &root, ca_key, entropy_);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(root.subject(), "CN=Warifu CA,O=Warifu");
  EXPECT_EQ(leaf->subject(), "CN=node-1");
  EXPECT_EQ(leaf->not_before(), kNow);
  EXPECT_EQ(leaf->not_after(), kNow + hours(24 * 90));
  EXPECT_EQ(leaf->serial().size(), 16u);
  EXPECT_NE(leaf->serial(), root.serial());
  EXPECT_TRUE(root.is_ca());
  EXPECT_FALSE(leaf->is_ca());
  EXPECT_EQ(*leaf->public_key(), key.public_key());
  EXPECT_EQ(leaf->fingerprint_sha256(), digest(HashAlgorithm::kSha256, {leaf->to_der()}));
}

TEST_F(Certificates, KnowTheirIssuer) {
  const PrivateKey ca_key = PrivateKey::generate(KeyKind::kEcP256);
  const PrivateKey other_key = PrivateKey::generate(KeyKind::kEcP256);
  const Certificate root = ca(ca_key);
  const Certificate impostor = ca(other_key);  // the same name
  const Certificate stranger = ca(other_key, "Another CA");
  const auto leaf = issue_certificate(server_profile(), other_key.public_key(), &root, ca_key, entropy_);
  ASSERT_TRUE(leaf);
  EXPECT_TRUE(leaf->issued_by(root));
  EXPECT_TRUE(root.issued_by(root));
  EXPECT_FALSE(leaf->issued_by(impostor));
  EXPECT_FALSE(leaf->issued_by(stranger));
  EXPECT_FALSE(root.issued_by(*leaf));
}

TEST_F(Certificates, AreNotIssuedByWhoIsNotTheIssuer) {
  const PrivateKey ca_key = PrivateKey::generate(KeyKind::kEcP256);
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const Certificate root = ca(ca_key);
  const auto leaf = issue_certificate(server_profile(), key.public_key(), &root, ca_key, entropy_);
  ASSERT_TRUE(leaf);
  const auto code = [&](const Certificate* issuer, const PrivateKey& issuer_key) {
    return issue_certificate(server_profile(), key.public_key(), issuer, issuer_key, entropy_).error().code;
  };
  EXPECT_EQ(code(&root, key), "crypto.certificate.issuer");
  EXPECT_EQ(code(&*leaf, key), "crypto.certificate.issuer");
  EXPECT_EQ(code(nullptr, ca_key), "crypto.certificate.issuer");
}

TEST_F(Certificates, AreNotIssuedForAProfileThatCannotBe) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const std::function<void(CertificateProfile&)> changes[] = {
      [](auto& p) { p.common_name = ""; },
      [](auto& p) { p.common_name = std::string(65, 'x'); },
      [](auto& p) { p.common_name = "\xff\xfe"; },
      [](auto& p) { p.organization = std::string(65, 'x'); },
      [](auto& p) { p.not_after = p.not_before; },
      [](auto& p) { p.path_length = 1; },
      [](auto& p) { p.dns_names = {"a,URI:b"}; },
      [](auto& p) { p.dns_names = {""}; },
      [](auto& p) { p.ip_addresses = {"localhost"}; },
      [](auto& p) { p.is_ca = p.key_agreement = true; },
      [](auto& p) { p.other_purposes = {"serverAuth"}; },
      [](auto& p) { p.other_purposes = {"9.1.1"}; },
      [](auto& p) { p.other_purposes = {""}; },
  };
  for (const auto& change : changes) {
    CertificateProfile profile = server_profile();
    change(profile);
    const auto issued = issue_certificate(profile, key.public_key(), nullptr, key, entropy_);
    ASSERT_FALSE(issued);
    EXPECT_EQ(issued.error().code, "crypto.certificate.profile");
  }
}

TEST_F(Certificates, AreReadBackAndNothingElseIs) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const Certificate one = ca(key);
  const Bytes der = one.to_der();
  EXPECT_EQ(Certificate::from_der(der)->to_der(), der);
  EXPECT_EQ(Certificate::from_pem(one.to_pem())->to_der(), der);
  EXPECT_EQ(Certificate::chain_from_pem(one.to_pem() + one.to_pem())->size(), 2u);
  EXPECT_EQ(one.clone().to_der(), der);

  Bytes trailing = der;
  trailing.push_back(0);
  EXPECT_EQ(Certificate::from_der(trailing).error().code, "crypto.certificate.form");
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_FALSE(Certificate::from_der(ByteView(der).first(size)));
  std::string broken = one.to_pem();
  broken[100] = '!';
  EXPECT_FALSE(Certificate::from_pem(broken));
  EXPECT_FALSE(Certificate::chain_from_pem(one.to_pem() + broken));
  EXPECT_FALSE(Certificate::from_pem(one.to_pem() + one.to_pem()));
  EXPECT_FALSE(Certificate::from_pem(""));
}

}  // namespace
}  // namespace warifu::crypto

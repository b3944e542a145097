#include "crypto/certs_only.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));

class CertsOnly : public testing::Test {
 protected:
  Certificate certificate(const std::string& name) {
    return *issue_certificate({.common_name = name, .not_before = kNow, .not_after = kNow + std::chrono::hours(1)},
                              key_.public_key(), nullptr, key_, entropy_);
  }
  std::vector<Certificate> chain() {
    std::vector<Certificate> certificates;
    // Names that would change places if anybody sorted them.
    for (const char* name : {"z-leaf", "intermediate", "a-root"})
      certificates.push_back(certificate(name));
    return certificates;
  }

  SystemEntropy entropy_;
  PrivateKey key_ = PrivateKey::generate(KeyKind::kEcP256);
};

std::string_view code_of(const Result<std::vector<Certificate>>& read) {
  return read ? std::string_view("taken") : read.error().code;
}

TEST_F(CertsOnly, KeepTheirOrder) {
  const auto sent = chain();
  const auto read = read_certs_only(certs_only(sent));
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i)
    EXPECT_EQ((*read)[i].to_der(), sent[i].to_der());
}

TEST_F(CertsOnly, AreNothingLessAndNothingMore) {
  Bytes der = certs_only(chain());
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_EQ(code_of(read_certs_only(ByteView(der).first(size))), "crypto.certs_only.form") << size;
  der.push_back(0);
  EXPECT_EQ(code_of(read_certs_only(der)), "crypto.certs_only.form");
  EXPECT_EQ(code_of(read_certs_only(certs_only({}))), "crypto.certs_only.form");
  EXPECT_EQ(code_of(read_certs_only(Bytes(kMaxCertsOnlySize + 1))), "crypto.certs_only.form");
  std::vector<Certificate> many;
  while (many.size() < 400)
    many.push_back(certificate("a"));
  EXPECT_EQ(code_of(read_certs_only(certs_only(many))), "crypto.certs_only.form");
}

TEST_F(CertsOnly, HaveNoSignerAndNoContent) {
  const Certificate signer = certificate("signer");
  const BioHandle content = read_only_bio(as_bytes("content"));
  const auto read = [&](PKCS7* made) {
    const Handle<PKCS7, PKCS7_free> message(made);
    return code_of(read_certs_only(to_der_bytes<i2d_PKCS7>(message.get())));
  };
  EXPECT_EQ(read(PKCS7_sign(signer.native(), key_.native(), nullptr, content.get(), PKCS7_BINARY | PKCS7_DETACHED)),
            "crypto.certs_only.form");
  PKCS7* data = PKCS7_new();
  PKCS7_set_type(data, NID_pkcs7_data);
  EXPECT_EQ(read(data), "crypto.certs_only.form");
  PKCS7* unsigned_content = PKCS7_new();
  PKCS7_set_type(unsigned_content, NID_pkcs7_signed);
  PKCS7_content_new(unsigned_content, NID_pkcs7_data);
  PKCS7_add_certificate(unsigned_content, signer.native());
  EXPECT_EQ(read(unsigned_content), "crypto.certs_only.form");
}

TEST_F(CertsOnly, AreReadByOpensslPkcs7AndCms) {
  const TempDir folder;
  const std::filesystem::path& directory = folder.path();
  const auto run = [&](const std::string& line) {
    const std::string command = "cd " + directory.string() + " && " + line;
    return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, and no input of others in it
  };
  const auto sent = chain();
  std::ofstream(directory / "ours.p7") << as_text(certs_only(sent));
  ASSERT_TRUE(run("openssl pkcs7 -inform DER -in ours.p7 -print_certs -out read.pem"));
  std::ifstream file(directory / "read.pem");
  const std::string pem(std::istreambuf_iterator<char>(file), {});
  const auto read = Certificate::chain_from_pem(pem);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ(read->front().to_der(), sent.front().to_der());
  EXPECT_TRUE(run("openssl cms -inform DER -in ours.p7 -cmsout -print -noout | grep -q 'eContent: <ABSENT>'"));

  std::ofstream(directory / "one.pem") << sent.front().to_pem();
  ASSERT_TRUE(run("openssl crl2pkcs7 -nocrl -certfile one.pem -outform DER -out theirs.p7"));
  std::ifstream theirs(directory / "theirs.p7");
  const std::string der(std::istreambuf_iterator<char>(theirs), {});
  EXPECT_EQ(code_of(read_certs_only(as_bytes(der))), "taken");
}

}  // namespace
}  // namespace warifu::crypto

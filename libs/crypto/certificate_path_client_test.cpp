// Paths of TLS clients, for whom any certificate may be pinned as authority.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate_path.h"
#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

using std::chrono::hours;

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));
constexpr hours kDay{24};

struct Issued {
  Certificate certificate;
  PrivateKey key;
};

class ClientPaths : public testing::Test {
 protected:
  static CertificateProfile ca(std::string name, std::optional<std::uint32_t> path_length = {}) {
    return {.common_name = std::move(name),
            .not_before = kNow - kDay,
            .not_after = kNow + 3650 * kDay,
            .is_ca = true,
            .path_length = path_length};
  }
  static CertificateProfile client() {
    return {.common_name = "meter-1", .not_before = kNow, .not_after = kNow + 90 * kDay, .client_auth = true};
  }
  Issued issue(const CertificateProfile& profile, const Issued* issuer, KeyKind kind = KeyKind::kEcP256) {
    auto key = PrivateKey::generate(kind);
    auto certificate = issue_certificate(profile, key.public_key(), issuer ? &issuer->certificate : nullptr,
                                         issuer ? issuer->key : key, entropy_);
    return {std::move(certificate).value(), std::move(key)};
  }
  // Its code, or "" when the path is accepted.
  static std::string verify(std::initializer_list<const Issued*> path, const Issued& authority,
                            Timestamp now = kNow + kDay) {
    std::vector<Certificate> certificates;
    for (const Issued* issued : path)
      certificates.push_back(issued->certificate.clone());
    const auto status = verify_certificate_path(certificates, authority.certificate, ClientUse{}, {.now = now});
    if (status) return "";
    EXPECT_EQ(status.error().kind, ErrorKind::kRefused);
    return std::string(status.error().code);
  }
  void sign_again(Certificate& certificate, const PrivateKey& key, const EVP_MD* hash) {
    ASSERT_GT(X509_sign(certificate.native(), key.native(), hash), 0);
    certificate = *Certificate::from_der(certificate.to_der());
  }

  SystemEntropy entropy_;
  const Issued root_ = issue(ca("root", 1), nullptr);
  const Issued middle_ = issue(ca("middle", 0), &root_);
  const Issued leaf_ = issue(client(), &middle_);
};

TEST_F(ClientPaths, LeadToTheAuthorityInAnyOrderWithOrWithoutIt) {
  EXPECT_EQ(verify({&leaf_, &middle_}, root_), "");
  EXPECT_EQ(verify({&leaf_, &middle_, &root_}, root_), "");
  EXPECT_EQ(verify({&leaf_, &root_, &middle_}, root_), "");
  const Issued stranger = issue(ca("stranger"), nullptr);
  EXPECT_EQ(verify({&leaf_, &stranger, &middle_}, root_), "") << "what does not belong to it is of no account";
  EXPECT_EQ(verify({&leaf_}, root_), "crypto.path.issuer") << "one is missing";
}

TEST_F(ClientPaths, MayEndAtAnIntermediateThatIsTrustedByItself) {
  EXPECT_EQ(verify({&leaf_}, middle_), "");
  EXPECT_EQ(verify({&leaf_, &middle_}, middle_), "");
  EXPECT_EQ(verify({&leaf_, &middle_, &root_}, middle_), "");
  // That it is trusted says nothing of its siblings.
  const Issued sibling = issue(ca("sibling", 0), &root_);
  const Issued other = issue(client(), &sibling);
  EXPECT_EQ(verify({&other, &sibling}, middle_), "crypto.path.issuer");
  EXPECT_EQ(verify({&other, &sibling, &root_}, middle_), "crypto.path.issuer");
}

TEST_F(ClientPaths, BeginWithTheLeaf) {
  EXPECT_EQ(verify({&middle_, &leaf_}, root_), "crypto.path.purpose");
  EXPECT_EQ(verify({&root_, &middle_, &leaf_}, root_), "crypto.path.purpose");
  EXPECT_EQ(verify({&middle_}, middle_), "crypto.path.purpose") << "an authority is no device";
}

TEST_F(ClientPaths, RefuseACaAsLeaf) {
  const Issued leaf = issue(ca("meter-1"), &root_);
  EXPECT_EQ(verify({&leaf}, root_), "crypto.path.purpose");
  // Also one that does not say what its key is for.
  Issued silent = issue(ca("meter-1"), &root_);
  X509* native = silent.certificate.native();
  X509_EXTENSION_free(X509_delete_ext(native, X509_get_ext_by_NID(native, NID_key_usage, -1)));
  sign_again(silent.certificate, root_.key, EVP_sha256());
  EXPECT_EQ(verify({&silent}, root_), "crypto.path.purpose");
}

TEST_F(ClientPaths, RefuseADeviceAsIssuer) {
  const auto key = PrivateKey::generate(KeyKind::kEcP256);
  auto certificate = issue(client(), &middle_).certificate;
  ASSERT_EQ(X509_set_issuer_name(certificate.native(), X509_get_subject_name(leaf_.certificate.native())), 1);
  X509_EXTENSION_free(X509_delete_ext(certificate.native(),
                                      X509_get_ext_by_NID(certificate.native(), NID_authority_key_identifier, -1)));
  sign_again(certificate, leaf_.key, EVP_sha256());
  const Issued forged{std::move(certificate), PrivateKey::generate(KeyKind::kEcP256)};
  EXPECT_NE(verify({&forged, &leaf_, &middle_}, root_), "");
  EXPECT_NE(verify({&forged, &leaf_}, middle_), "");
}

TEST_F(ClientPaths, RefuseStrangersAlsoUnderTheNamesOfTheAuthority) {
  const Issued self_signed = issue(client(), nullptr);
  EXPECT_EQ(verify({&self_signed}, root_), "crypto.path.issuer");
  EXPECT_EQ(verify({&self_signed, &middle_}, root_), "crypto.path.issuer");
  const Issued twin_root = issue(ca("root", 1), nullptr);
  const Issued twin_middle = issue(ca("middle", 0), &twin_root);
  const Issued forged = issue(client(), &twin_middle);
  EXPECT_EQ(verify({&forged, &twin_middle, &twin_root}, root_), "crypto.path.issuer");
  EXPECT_EQ(verify({&forged, &twin_middle}, root_), "crypto.path.issuer");
  EXPECT_EQ(verify({&forged, &middle_}, root_), "crypto.path.issuer");
}

TEST_F(ClientPaths, AreLookedAtForTimeAtEveryPlace) {
  EXPECT_EQ(verify({&leaf_, &middle_}, root_, kNow + 91 * kDay), "crypto.path.expired");
  EXPECT_EQ(verify({&leaf_, &middle_}, root_, kNow - hours(1)), "crypto.path.not-yet-valid");
  auto short_lived = ca("short", 0);
  short_lived.not_after = kNow + 10 * kDay;
  const Issued short_middle = issue(short_lived, &root_);
  const Issued leaf = issue(client(), &short_middle);
  EXPECT_EQ(verify({&leaf, &short_middle}, root_), "");
  EXPECT_EQ(verify({&leaf, &short_middle}, root_, kNow + 11 * kDay), "crypto.path.expired");
  EXPECT_EQ(verify({&leaf}, short_middle, kNow + 11 * kDay), "crypto.path.expired") << "an authority expires too";
}

TEST_F(ClientPaths, HoldUsagesAgainstThemOnlyWhereTheyAreStated) {
  auto server = client();
  server.client_auth = false;
  server.server_auth = true;
  const Issued for_servers = issue(server, &middle_);
  EXPECT_EQ(verify({&for_servers, &middle_}, root_), "crypto.path.purpose");
  server.client_auth = true;
  const Issued for_both = issue(server, &middle_);
  EXPECT_EQ(verify({&for_both, &middle_}, root_), "");
  auto silent = client();
  silent.client_auth = false;
  const Issued for_anything = issue(silent, &middle_);
  EXPECT_EQ(verify({&for_anything, &middle_}, root_), "");
}

TEST_F(ClientPaths, KeepToThePathLengthOfAnAuthority) {
  auto below = ca("below");
  const Issued lower = issue(below, &middle_);  // middle has a path length of 0
  const Issued leaf = issue(client(), &lower);
  EXPECT_EQ(verify({&leaf, &lower, &middle_}, root_), "crypto.path.invalid");
}

TEST_F(ClientPaths, TakeEightCertificatesAndNotNine) {
  const Issued* m = &middle_;
  EXPECT_EQ(verify({&leaf_, m, m, m, m, m, m, m}, root_), "");
  EXPECT_EQ(verify({&leaf_, m, m, m, m, m, m, m, m}, root_), "crypto.path.invalid");
}

TEST_F(ClientPaths, RefuseWeakKeysAndHashes) {
  auto sha1 = issue(client(), &middle_);
  sign_again(sha1.certificate, middle_.key, EVP_sha1());
  EXPECT_EQ(verify({&sha1}, middle_), "crypto.path.weak");
  const PkeyHandle small(EVP_RSA_gen(1024U));
  auto weak = issue(client(), &middle_);
  ASSERT_EQ(X509_set_pubkey(weak.certificate.native(), small.get()), 1);
  sign_again(weak.certificate, middle_.key, EVP_sha256());
  EXPECT_EQ(verify({&weak}, middle_), "crypto.path.weak");
}

}  // namespace
}  // namespace warifu::crypto

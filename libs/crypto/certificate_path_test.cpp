#include "crypto/certificate_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));
constexpr hours kDay{24};
constexpr const char* kEscrow = "2.25.250778544324231359710627916052777209250";

struct Issued {
  Certificate certificate;
  PrivateKey key;
};

class CertificatePaths : public testing::Test {
 protected:
  CertificatePaths()
      : root_(issue(ca("root", 1), KeyKind::kEcP384, nullptr)),
        middle_(issue(ca("middle", 0), KeyKind::kEcP384, &root_)),
        leaf_(issue(server(), KeyKind::kEcP256, &middle_)) {}

  static CertificateProfile ca(std::string name, std::uint32_t path_length) {
    return {.common_name = std::move(name),
            .not_before = kNow - kDay,
            .not_after = kNow + 3650 * kDay,
            .is_ca = true,
            .path_length = path_length};
  }
  static CertificateProfile server() {
    return {.common_name = "node-1",
            .not_before = kNow,
            .not_after = kNow + 90 * kDay,
            .dns_names = {"warifu.example", "*.nodes.example"},
            .ip_addresses = {"192.0.2.7", "2001:db8::7"},
            .server_auth = true};
  }
  Issued issue(const CertificateProfile& profile, KeyKind kind, const Issued* issuer) {
    auto key = PrivateKey::generate(kind);
    auto certificate = issue_certificate(profile, key.public_key(), issuer ? &issuer->certificate : nullptr,
                                         issuer ? issuer->key : key, entropy_);
    return {std::move(certificate).value(), std::move(key)};
  }
  Issued server_leaf(const std::function<void(CertificateProfile&)>& change) {
    auto profile = server();
    change(profile);
    return issue(profile, KeyKind::kEcP256, &middle_);
  }
  // Its code, or "" when the path is accepted.
  std::string verify(const Certificate& leaf, CertificateUse use = ServerUse{"warifu.example"},
                     PathTime time = {kNow + kDay}) {
    std::vector<Certificate> path;
    path.push_back(leaf.clone());
    path.push_back(middle_.certificate.clone());
    const auto status = verify_certificate_path(path, root_.certificate, use, time);
    message_ = status ? "" : status.error().message;
    return status ? "" : std::string(status.error().code);
  }
  // As somebody else would have made it: changed, then signed again by the intermediate.
  void sign_again(Certificate& certificate, const EVP_MD* hash = EVP_sha384()) {
    ASSERT_GT(X509_sign(certificate.native(), middle_.key.native(), hash), 0);
    certificate = *Certificate::from_der(certificate.to_der());
  }

  SystemEntropy entropy_;
  Issued root_, middle_, leaf_;
  std::string message_;
};

TEST_F(CertificatePaths, LeadAServerToThePinnedRootByNameOrAddress) {
  for (const char* name : {"warifu.example", "WARIFU.example", "a.nodes.example", "192.0.2.7", "2001:db8::7"})
    EXPECT_EQ(verify(leaf_.certificate, ServerUse{name}), "") << name << ": " << message_;
}

TEST_F(CertificatePaths, RefuseAnotherNameAndSayBoth) {
  for (const char* name : {"other.example", "192.0.2.8", "node-1", "a.b.nodes.example", "nodes.example", ""})
    EXPECT_EQ(verify(leaf_.certificate, ServerUse{name}), "crypto.path.name") << name;
  verify(leaf_.certificate, ServerUse{"other.example"});
  EXPECT_THAT(message_, HasSubstr("other.example"));
  EXPECT_THAT(message_, HasSubstr("warifu.example, *.nodes.example, 192.0.2.7, 2001:db8::7"));
}

TEST_F(CertificatePaths, TakeRsaFrom2048Bits) {
  EXPECT_EQ(verify(issue(server(), KeyKind::kRsa2048, &middle_).certificate), "") << message_;
}

TEST_F(CertificatePaths, RefuseAnIssuerThatIsNotUnderTheRoot) {
  const Issued other_root = issue(ca("root", 1), KeyKind::kEcP384, nullptr);
  const Issued other_middle = issue(ca("middle", 0), KeyKind::kEcP384, &other_root);
  EXPECT_EQ(verify(issue(server(), KeyKind::kEcP256, &other_middle).certificate), "crypto.path.issuer");
  EXPECT_EQ(verify(issue(server(), KeyKind::kEcP256, nullptr).certificate), "crypto.path.issuer");
  // The stranger's root may come along; it is not trusted for that.
  std::vector<Certificate> path;
  path.push_back(issue(server(), KeyKind::kEcP256, &other_middle).certificate);
  path.push_back(other_middle.certificate.clone());
  path.push_back(other_root.certificate.clone());
  EXPECT_EQ(verify_certificate_path(path, root_.certificate, ServerUse{"warifu.example"}, {kNow + kDay}).error().code,
            "crypto.path.issuer");
}

TEST_F(CertificatePaths, RefuseAPathThatDoesNotReachTheRoot) {
  std::vector<Certificate> path;
  path.push_back(leaf_.certificate.clone());
  const ServerUse use{"warifu.example"};
  EXPECT_EQ(verify_certificate_path(path, root_.certificate, use, {kNow + kDay}).error().code, "crypto.path.issuer");
  // Nor is an intermediate a root, for anybody but the one who would pin it.
  EXPECT_EQ(verify_certificate_path(path, middle_.certificate, use, {kNow + kDay}).error().code, "crypto.path.issuer");
  EXPECT_EQ(verify_certificate_path({}, root_.certificate, use, {kNow + kDay}).error().code, "crypto.path.invalid");
}

TEST_F(CertificatePaths, RefuseALeafWhoseSignatureOrContentWasChanged) {
  Bytes der = leaf_.certificate.to_der();
  der.back() ^= 1;
  EXPECT_EQ(verify(*Certificate::from_der(der)), "crypto.path.issuer");
}

TEST_F(CertificatePaths, RefuseALeafAsIssuer) {
  auto leaf = issue(server(), KeyKind::kEcP256, &middle_);
  ASSERT_EQ(X509_set_issuer_name(leaf.certificate.native(), X509_get_subject_name(leaf_.certificate.native())), 1);
  ASSERT_GT(X509_sign(leaf.certificate.native(), leaf_.key.native(), EVP_sha256()), 0);
  std::vector<Certificate> path;
  path.push_back(*Certificate::from_der(leaf.certificate.to_der()));
  path.push_back(leaf_.certificate.clone());
  path.push_back(middle_.certificate.clone());
  EXPECT_FALSE(verify_certificate_path(path, root_.certificate, ServerUse{"warifu.example"}, {kNow + kDay}));
}

TEST_F(CertificatePaths, ExpireAndSayBothTimes) {
  EXPECT_EQ(verify(leaf_.certificate, ServerUse{"warifu.example"}, {kNow + 90 * kDay - hours(1)}), "");
  EXPECT_EQ(verify(leaf_.certificate, ServerUse{"warifu.example"}, {kNow + 91 * kDay}), "crypto.path.expired");
  EXPECT_THAT(message_, HasSubstr("2026-04-01T00:00:00"));
  EXPECT_THAT(message_, HasSubstr("2026-04-02T00:00:00"));
}

TEST_F(CertificatePaths, BeginLaterOnlyForAClockThatIsKnownToBeBehind) {
  const PathTime before{kNow - hours(1)};
  EXPECT_EQ(verify(leaf_.certificate, ServerUse{"warifu.example"}, before), "crypto.path.not-yet-valid");
  EXPECT_THAT(message_, HasSubstr("2026-01-01T00:00:00"));
  EXPECT_EQ(verify(leaf_.certificate, ServerUse{"warifu.example"}, {before.now, false}), "") << message_;
  // Everything else is still asked of such a clock.
  const PathTime late{kNow + 91 * kDay, false};
  EXPECT_EQ(verify(leaf_.certificate, ServerUse{"warifu.example"}, late), "crypto.path.expired");
  EXPECT_EQ(verify(leaf_.certificate, ServerUse{"other.example"}, {before.now, false}), "crypto.path.name");
  const Issued stranger = issue(server(), KeyKind::kEcP256, nullptr);
  EXPECT_EQ(verify(stranger.certificate, ServerUse{"warifu.example"}, {before.now, false}), "crypto.path.issuer");
}

TEST_F(CertificatePaths, RefuseWhatIsNotForServers) {
  EXPECT_EQ(verify(server_leaf([](auto& p) {
                     p.server_auth = false;
                     p.client_auth = true;
                   }).certificate),
            "crypto.path.purpose");
  EXPECT_EQ(verify(server_leaf([](auto& p) { p.server_auth = false; }).certificate), "crypto.path.purpose");
  EXPECT_EQ(verify(server_leaf([](auto& p) { p.key_agreement = true; }).certificate), "crypto.path.purpose");
  EXPECT_EQ(verify(middle_.certificate), "crypto.path.purpose");
  EXPECT_EQ(verify(root_.certificate), "crypto.path.purpose");
}

TEST_F(CertificatePaths, LeadWithADemandedUsageOnly) {
  const auto escrow = [](auto& profile) {
    profile.server_auth = false;
    profile.key_agreement = true;
    profile.other_purposes = {kEscrow};
  };
  EXPECT_EQ(verify(server_leaf(escrow).certificate, ExtendedKeyUse{kEscrow}), "") << message_;
  EXPECT_EQ(verify(leaf_.certificate, ExtendedKeyUse{kEscrow}), "crypto.path.purpose");
  EXPECT_EQ(verify(server_leaf(escrow).certificate, ExtendedKeyUse{"2.25.1"}), "crypto.path.purpose");
  EXPECT_EQ(verify(server_leaf(escrow).certificate), "crypto.path.purpose") << "it is not for servers";
  EXPECT_EQ(verify(middle_.certificate, ExtendedKeyUse{kEscrow}), "crypto.path.purpose");
  EXPECT_EQ(verify(server_leaf([](auto& profile) { profile.other_purposes = {kEscrow}; }).certificate,
                   ExtendedKeyUse{kEscrow}),
            "crypto.path.purpose")
      << "a key that signs";
}

TEST_F(CertificatePaths, RefuseALeafThatDoesNotSayWhatItsKeyIsFor) {
  const auto without_usage = [&](Certificate certificate) {
    const int at = X509_get_ext_by_NID(certificate.native(), NID_key_usage, -1);
    EXPECT_GE(at, 0);
    X509_EXTENSION_free(X509_delete_ext(certificate.native(), at));
    sign_again(certificate);
    return certificate;
  };
  EXPECT_EQ(verify(without_usage(leaf_.certificate.clone())), "crypto.path.purpose");
  const auto escrow = server_leaf([](auto& profile) {
    profile.server_auth = false;
    profile.key_agreement = true;
    profile.other_purposes = {kEscrow};
  });
  EXPECT_EQ(verify(without_usage(escrow.certificate.clone()), ExtendedKeyUse{kEscrow}), "crypto.path.purpose");
}

TEST_F(CertificatePaths, RefuseWeakKeysAndHashes) {
  for (EVP_PKEY* weak : {EVP_RSA_gen(1024u), EVP_EC_gen("P-224"), EVP_EC_gen("secp256k1")}) {
    const PkeyHandle key(weak);
    auto leaf = server_leaf([](auto&) {}).certificate;
    ASSERT_EQ(X509_set_pubkey(leaf.native(), key.get()), 1);
    sign_again(leaf);
    EXPECT_EQ(verify(leaf), "crypto.path.weak") << message_;
  }
  for (const EVP_MD* weak : {EVP_sha1(), EVP_sha224()}) {
    auto leaf = server_leaf([](auto&) {}).certificate;
    sign_again(leaf, weak);
    EXPECT_EQ(verify(leaf), "crypto.path.weak") << message_;
  }
  auto leaf = server_leaf([](auto&) {}).certificate;
  sign_again(leaf);
  EXPECT_EQ(verify(leaf), "") << "the same, strong: " << message_;
}

}  // namespace
}  // namespace warifu::crypto

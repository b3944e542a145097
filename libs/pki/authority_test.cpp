#include "pki/authority.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "sim/deterministic.h"

namespace warifu::pki {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;

const Timestamp kNow{std::chrono::seconds(1'790'000'000)};

class AuthorityTest : public ::testing::Test {
 protected:
  Authority make_root() {
    crypto::Signer key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP384));
    auto certificate = certify_root("Example", key, clock_, entropy_).value();
    return {std::move(certificate), std::move(key)};
  }
  Authority make_role(Role role) {
    crypto::Signer key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256));
    auto certificate = certify_role(role, "Example", key.public_key(), root_, clock_, entropy_).value();
    return {std::move(certificate), std::move(key)};
  }
  Result<crypto::Certificate> try_node(const Authority& issuer, std::chrono::seconds lifetime = kNodeLifetime) {
    return certify_node(ServerNames::parse({"warifu.example", "192.0.2.1"}).value(), node_key_.public_key(), issuer,
                        lifetime, clock_, entropy_);
  }
  crypto::Certificate make_node(const Authority& issuer, std::chrono::seconds lifetime = kNodeLifetime) {
    return try_node(issuer, lifetime).value();
  }

  sim::SteppingClock clock_{kNow};
  sim::SeededEntropy entropy_{1};
  const crypto::PrivateKey node_key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const Authority root_ = make_root();
  const Authority role_ = make_role(Role::kServerCommunication);
};

TEST_F(AuthorityTest, MakesARootThatSignsRolesOnly) {
  const auto& root = root_.certificate;
  EXPECT_EQ(root.subject(), "CN=Example root,O=Example");
  EXPECT_TRUE(root.issued_by(root));
  EXPECT_TRUE(root.is_ca());
  EXPECT_EQ(X509_get_pathlen(root.native()), 1);
  EXPECT_EQ(X509_get_key_usage(root.native()), static_cast<unsigned>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_EQ(root.not_after(), kNow + kRootLifetime);
  EXPECT_EQ(EVP_PKEY_get_bits(root_.key.native()), 384);
}

TEST_F(AuthorityTest, MakesARoleThatSignsLeavesOnly) {
  const auto& role = role_.certificate;
  EXPECT_TRUE(role.issued_by(root_.certificate));
  EXPECT_FALSE(role.issued_by(role));
  EXPECT_TRUE(role.is_ca());
  EXPECT_EQ(X509_get_pathlen(role.native()), 0);
  EXPECT_EQ(X509_get_key_usage(role.native()), static_cast<unsigned>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_LT(role.not_after(), root_.certificate.not_after());
  for (const Role other : {Role::kPeerCommunication, Role::kEndpointIdentity}) {
    EXPECT_TRUE(make_role(other).certificate.is_ca()) << to_string(other);
    EXPECT_EQ(X509_get_pathlen(make_role(other).certificate.native()), 0) << to_string(other);
  }
}

// The purposes in extendedKeyUsage, in dotted decimals.
std::vector<std::string> purposes_of(const crypto::Certificate& certificate) {
  const std::unique_ptr<EXTENDED_KEY_USAGE, decltype(&EXTENDED_KEY_USAGE_free)> purposes(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate.native(), NID_ext_key_usage, nullptr, nullptr)),
      EXTENDED_KEY_USAGE_free);
  std::vector<std::string> found;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    std::array<char, 80> oid{};
    OBJ_obj2txt(oid.data(), oid.size(), sk_ASN1_OBJECT_value(purposes.get(), i), 1);
    found.emplace_back(oid.data());
  }
  return found;
}

TEST_F(AuthorityTest, MakesLeavesOfOnePurposeForWhatCertifiesNothing) {
  const struct {
    Role role;
    unsigned usage;
    std::string_view purpose;
  } table[] = {{Role::kEscrow, KU_KEY_AGREEMENT, kLockoutEscrowPurpose},
               {Role::kCodeSigning, KU_DIGITAL_SIGNATURE, kCodeSigningPurpose},
               {Role::kLifecycleCommand, KU_DIGITAL_SIGNATURE, kLifecycleCommandPurpose}};
  for (const auto& row : table) {
    const auto leaf = make_role(row.role).certificate;
    EXPECT_EQ(leaf.subject(), fmt::format("CN=Example {},O=Example", to_string(row.role)));
    EXPECT_TRUE(leaf.issued_by(root_.certificate));
    EXPECT_FALSE(leaf.is_ca());
    EXPECT_EQ(X509_get_key_usage(leaf.native()), row.usage) << to_string(row.role);
    EXPECT_THAT(purposes_of(leaf), ElementsAre(std::string(row.purpose)));
    EXPECT_EQ(leaf.not_after(), kNow + kRoleLifetime);
  }
}

TEST_F(AuthorityTest, MakesANodeThatServesAndSignsNoCertificates) {
  const auto leaf = make_node(role_);
  EXPECT_TRUE(leaf.issued_by(role_.certificate));
  EXPECT_FALSE(leaf.issued_by(root_.certificate));
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_EQ(X509_get_key_usage(leaf.native()), static_cast<unsigned>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.native()), static_cast<unsigned>(XKU_SSL_SERVER));
  EXPECT_THAT(leaf.dns_names(), ElementsAre("warifu.example", "localhost"));
  EXPECT_THAT(leaf.ip_addresses(), ElementsAre("192.0.2.1", "127.0.0.1", "::1"));
  EXPECT_EQ(leaf.not_before(), kNow - minutes(5));
  EXPECT_EQ(leaf.not_after(), kNow + kNodeLifetime);
  EXPECT_NE(leaf.serial(), make_node(role_).serial());
}

TEST_F(AuthorityTest, LetsNoRoleOutliveTheRoot) {
  clock_.set(root_.certificate.not_after() - std::chrono::days(1));
  EXPECT_EQ(make_role(Role::kEscrow).certificate.not_after(), root_.certificate.not_after());
}

TEST_F(AuthorityTest, KnowsRolesByTheirNames) {
  for (const Role role : kRoles)
    EXPECT_EQ(parse_role(to_string(role)).value(), role);
  EXPECT_EQ(parse_role("root").error().code, "role.unknown");
  EXPECT_EQ(curve_of(Role::kServerCommunication, crypto::EcCurve::kP384), crypto::EcCurve::kP384);
  EXPECT_EQ(curve_of(Role::kEndpointIdentity, crypto::EcCurve::kP384), crypto::EcCurve::kP256);
}

TEST(Organisation, IsNamedByWhatFitsIntoACertificate) {
  for (const Role role : kRoles)
    EXPECT_LE(kOrganisationSizeMax + 1 + to_string(role).size(), 64U) << to_string(role);
  EXPECT_TRUE(check_organisation(std::string(kOrganisationSizeMax, 'x')));
  for (const std::string& bad : {std::string(), std::string(kOrganisationSizeMax + 1, 'x'), std::string("a\nb")})
    EXPECT_EQ(check_organisation(bad).error().code, "organisation.name");
}

TEST_F(AuthorityTest, LetsNoNodeOutliveItsIssuer) {
  EXPECT_EQ(make_node(role_, kRoleLifetime * 2).not_after(), role_.certificate.not_after());
  for (const auto lifetime : {std::chrono::seconds(9'000'000'000'000'000'000), std::chrono::seconds::max()})
    EXPECT_EQ(make_node(role_, lifetime).not_after(), role_.certificate.not_after());
  clock_.set(role_.certificate.not_after() - std::chrono::days(1));
  EXPECT_EQ(make_node(role_).not_after(), role_.certificate.not_after());
}

TEST_F(AuthorityTest, MakesNoNodeUnderAnIssuerThatHasExpired) {
  clock_.set(role_.certificate.not_after() + minutes(10));
  EXPECT_FALSE(try_node(role_));
}

TEST_F(AuthorityTest, MakesNoNodeWithoutALifetime) {
  for (const int seconds : {0, -1}) {
    const auto node = try_node(role_, std::chrono::seconds(seconds));
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().code, "certificate.lifetime");
  }
}

TEST_F(AuthorityTest, IsRenewedAtTwoThirdsOfItsLife) {
  const auto leaf = make_node(role_, std::chrono::seconds(600));
  // 15 minutes from the backdated start to the end.
  EXPECT_EQ(renewal_time(leaf), kNow - minutes(5) + minutes(10));
}

TEST(ServerNames, AreSortedIntoTheTwoKinds) {
  const auto names = ServerNames::parse({"localhost", "127.0.0.1", "a-1.Example", "::1", "2001:db8::1"}).value();
  EXPECT_THAT(names.dns_names, ElementsAre("localhost", "a-1.Example"));
  EXPECT_THAT(names.ip_addresses, ElementsAre("127.0.0.1", "::1", "2001:db8::1"));
  EXPECT_EQ(names.primary, "localhost");
}

TEST(ServerNames, AreCalledByTheFirstAndReachableOnTheSameMachine) {
  const auto names = ServerNames::parse({"192.0.2.7"}).value();
  EXPECT_EQ(names.primary, "192.0.2.7");
  EXPECT_THAT(names.dns_names, ElementsAre("localhost"));
  EXPECT_THAT(names.ip_addresses, ElementsAre("192.0.2.7", "127.0.0.1", "::1"));
  EXPECT_EQ(ServerNames::parse({})->primary, "localhost");
}

TEST(ServerNames, RefuseAFirstNameThatNoCommonNameHolds) {
  const std::string longest = std::string(60, 'a') + ".com";
  EXPECT_TRUE(ServerNames::parse({longest}));
  EXPECT_FALSE(ServerNames::parse({"a" + longest}));
  EXPECT_TRUE(ServerNames::parse({"localhost", "a" + longest}));
}

TEST(ServerNames, RefuseWhatIsNeither) {
  for (const std::string bad :
       {"", "a b", "*.example", "a..b", ".a", "a.", "-a", "a_b", "https://a", "a:443", "ä.example", "1::2::3"}) {
    const auto names = ServerNames::parse({"localhost", bad});
    ASSERT_FALSE(names) << bad;
    EXPECT_EQ(names.error().code, "server_name");
  }
  EXPECT_FALSE(ServerNames::parse({"localhost", std::string(254, 'a')}));
}

TEST_F(AuthorityTest, TellsItsNamesBackFromTheCertificate) {
  const auto names = ServerNames::of(make_node(role_));
  EXPECT_EQ(names.primary, "warifu.example");
  EXPECT_THAT(names.dns_names, ElementsAre("warifu.example", "localhost"));
  EXPECT_THAT(names.ip_addresses, ElementsAre("192.0.2.1", "127.0.0.1", "::1"));
}

}  // namespace
}  // namespace warifu::pki

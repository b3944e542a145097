#include "pki/authority.h"

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
  Authority make_server(const Authority& issuer, std::chrono::seconds lifetime = kNodeLifetime,
                        const std::vector<std::string>& names = {"warifu.example", "192.0.2.1"}) {
    return make_node(ServerNames::parse(names).value(), issuer, lifetime, clock_, entropy_).value();
  }

  sim::SteppingClock clock_{kNow};
  sim::SeededEntropy entropy_{1};
  const Authority root_ = make_root("Example", clock_, entropy_).value();
  const Authority role_ = make_role(Role::kServerCommunication, "Example", root_, clock_, entropy_).value();
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
}

TEST_F(AuthorityTest, MakesANodeThatServesAndSignsNoCertificates) {
  const auto node = make_server(role_);
  const auto& leaf = node.certificate;
  EXPECT_TRUE(leaf.issued_by(role_.certificate));
  EXPECT_FALSE(leaf.issued_by(root_.certificate));
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_EQ(X509_get_key_usage(leaf.native()), static_cast<unsigned>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.native()), static_cast<unsigned>(XKU_SSL_SERVER));
  EXPECT_THAT(leaf.dns_names(), ElementsAre("warifu.example", "localhost"));
  EXPECT_THAT(leaf.ip_addresses(), ElementsAre("192.0.2.1", "127.0.0.1", "::1"));
  EXPECT_EQ(leaf.not_before(), kNow - minutes(5));
  EXPECT_EQ(leaf.not_after(), kNow + kNodeLifetime);
}

TEST_F(AuthorityTest, MakesAnEscrowLeafThatAgreesOnKeysAndNothingElse) {
  const auto escrow = make_escrow("Example", root_, clock_, entropy_).value();
  const auto& leaf = escrow.certificate;
  EXPECT_EQ(leaf.subject(), "CN=Example escrow,O=Example");
  EXPECT_TRUE(leaf.issued_by(root_.certificate));
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_EQ(X509_get_key_usage(leaf.native()), static_cast<unsigned>(KU_KEY_AGREEMENT));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.native()), 0U) << "no purpose that OpenSSL has a name for";
  const std::unique_ptr<EXTENDED_KEY_USAGE, decltype(&EXTENDED_KEY_USAGE_free)> purposes(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(leaf.native(), NID_ext_key_usage, nullptr, nullptr)),
      EXTENDED_KEY_USAGE_free);
  ASSERT_EQ(sk_ASN1_OBJECT_num(purposes.get()), 1);
  std::array<char, 80> oid{};
  OBJ_obj2txt(oid.data(), oid.size(), sk_ASN1_OBJECT_value(purposes.get(), 0), 1);
  EXPECT_EQ(std::string_view(oid.data()), kLockoutEscrowPurpose);
  EXPECT_EQ(EVP_PKEY_get_bits(escrow.key.native()), 384);
  EXPECT_EQ(leaf.not_after(), kNow + kRoleLifetime);
}

TEST_F(AuthorityTest, MakesAnotherKeyAndSerialEachTime) {
  const auto first = make_server(role_);
  const auto second = make_server(role_);
  EXPECT_FALSE(first.key.public_key() == second.key.public_key());
  EXPECT_NE(first.certificate.serial(), second.certificate.serial());
}

TEST_F(AuthorityTest, LetsNoNodeOutliveItsIssuer) {
  EXPECT_EQ(make_server(role_, kRoleLifetime * 2).certificate.not_after(), role_.certificate.not_after());
  for (const auto lifetime : {std::chrono::seconds(9'000'000'000'000'000'000), std::chrono::seconds::max()})
    EXPECT_EQ(make_server(role_, lifetime).certificate.not_after(), role_.certificate.not_after());
  clock_.set(role_.certificate.not_after() - std::chrono::days(1));
  EXPECT_EQ(make_server(role_).certificate.not_after(), role_.certificate.not_after());
}

TEST_F(AuthorityTest, MakesNoNodeUnderAnIssuerThatHasExpired) {
  clock_.set(role_.certificate.not_after() + minutes(10));
  EXPECT_FALSE(make_node(ServerNames::parse({"warifu.example"}).value(), role_, kNodeLifetime, clock_, entropy_));
}

TEST_F(AuthorityTest, MakesNoNodeWithoutALifetime) {
  for (const int seconds : {0, -1}) {
    const auto node = make_node(ServerNames::parse({"warifu.example"}).value(), role_, std::chrono::seconds(seconds),
                                clock_, entropy_);
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().code, "certificate.lifetime");
  }
}

TEST_F(AuthorityTest, IsRenewedAtTwoThirdsOfItsLife) {
  const auto leaf = make_server(role_, std::chrono::seconds(600)).certificate;
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
  const auto names = ServerNames::of(make_server(role_).certificate);
  EXPECT_EQ(names.primary, "warifu.example");
  EXPECT_THAT(names.dns_names, ElementsAre("warifu.example", "localhost"));
  EXPECT_THAT(names.ip_addresses, ElementsAre("192.0.2.1", "127.0.0.1", "::1"));
}

}  // namespace
}  // namespace warifu::pki

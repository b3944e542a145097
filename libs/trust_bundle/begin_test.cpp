#include <gtest/gtest.h>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

class FirstBundle : public testing::Test {
 protected:
  std::string refusal(const Contents& contents, const std::vector<std::string>& names) {
    return code_of(TrustedBundle::begin(organisation_.signed_by(contents, names), root_));
  }
  // The first bundle with something changed, signed by everybody.
  template <class Change>
  std::string refusal_with(Change change) {
    auto contents = organisation_.first();
    change(contents);
    return refusal(contents, {"Root-1", "Ann", "bob", "Cid", "Xia", "yul", "Zoe"});
  }

  TestOrganisation organisation_;
  const crypto::Certificate root_ = organisation_.root("Root-1").certificate.clone();
};

TEST_F(FirstBundle, IsBelievedByThePinnedRootAndItsSigningKeys) {
  const auto contents = organisation_.first();
  const auto envelope = organisation_.signed_by(contents, {"Ann", "Root-1", "Cid"});
  const auto bundle = TrustedBundle::begin(envelope, root_);
  ASSERT_TRUE(bundle) << to_string(bundle.error());
  EXPECT_EQ(bundle->version(), 1u);
  EXPECT_EQ(bundle->contents().organisation, "Example Meters");
  EXPECT_EQ(bundle->digest(), crypto::digest(crypto::HashAlgorithm::kSha256, {envelope.payload()}));
  ASSERT_EQ(bundle->roots().size(), 1u);
  EXPECT_EQ(bundle->roots()[0].to_der(), root_.to_der());
  EXPECT_TRUE(bundle->trusts_root(root_));
  EXPECT_FALSE(bundle->trusts_root(organisation_.root("Root-2").certificate));
  const auto server = bundle->role_certificates(role_name("server-communication"));
  ASSERT_EQ(server.size(), 1u);
  EXPECT_TRUE(bundle->trusts_role(role_name("server-communication"), server[0]));
  EXPECT_FALSE(bundle->trusts_role(role_name("code-signing"), server[0]));
  EXPECT_FALSE(bundle->trusts_role(role_name("lifecycle"), server[0]));
  EXPECT_TRUE(bundle->role_certificates(role_name("lifecycle")).empty());
  EXPECT_FALSE(bundle->trusts_role(role_name("code-signing"), organisation_.certified("code", "Root-1").certificate))
      << "issued by the root, and not in the bundle";
}

TEST_F(FirstBundle, NeedsAllWhoMustSign) {
  const auto contents = organisation_.first();
  EXPECT_EQ(refusal(contents, {"Root-1", "Ann", "bob"}), "");
  EXPECT_EQ(refusal(contents, {"Ann", "bob", "Cid"}), "bundle.signatures") << "not the root";
  EXPECT_EQ(refusal(contents, {"Root-1", "Ann"}), "bundle.signatures");
  EXPECT_EQ(refusal(contents, {"Root-1", "Ann", "Xia", "yul", "Zoe"}), "bundle.signatures");
  EXPECT_EQ(refusal(contents, {"Root-1", "server", "code"}), "bundle.signatures");
  EXPECT_EQ(refusal(contents, {}), "bundle.signatures");
}

TEST_F(FirstBundle, MayBeALaterOneAndSignedByARootThatIsASigningKey) {
  auto contents = organisation_.first();
  contents.version = 77;
  contents.signing = organisation_.set(1, {"Root-1"});
  EXPECT_EQ(refusal(contents, {"Root-1"}), "");
}

TEST_F(FirstBundle, IsOfThePinnedRootAndNoOther) {
  EXPECT_EQ(
      refusal_with([&](Contents& contents) { contents.revoked.push_back(organisation_.revoked("Root-1", "root")); }),
      "bundle.pinned-root");
  const auto envelope = organisation_.signed_by(organisation_.first(), {"Root-1", "Root-2", "Ann", "bob"});
  EXPECT_EQ(code_of(TrustedBundle::begin(envelope, organisation_.root("Root-2").certificate)), "bundle.pinned-root");
  // Of the same name and key, and another certificate.
  EXPECT_EQ(code_of(TrustedBundle::begin(envelope, organisation_.certified("Root-1", "Root-1").certificate)),
            "bundle.pinned-root");
}

TEST_F(FirstBundle, IsNotBelievedWithASigningKeyThatItRevokes) {
  EXPECT_EQ(
      refusal_with([&](Contents& contents) { contents.revoked.push_back(organisation_.revoked("Cid", "signing")); }),
      "bundle.revoked-key");
}

TEST_F(FirstBundle, HoldsCertificatesOfItsRootsOnly) {
  EXPECT_EQ(refusal_with([&](Contents& contents) { contents.roles[0] = organisation_.role("a", "server", "Root-2"); }),
            "bundle.certificate");
  EXPECT_EQ(refusal_with(
                [&](Contents& contents) { contents.roots.push_back(organisation_.certified("server-2", "Root-1")); }),
            "bundle.certificate")
      << "a root issues itself";
  crypto::SystemEntropy entropy;
  const auto& key = organisation_.key("Root-3");
  const crypto::CertificateProfile no_ca{.common_name = "Root-3", .not_before = day(0), .not_after = day(9)};
  const auto leaf = crypto::issue_certificate(no_ca, key.public_key(), nullptr, key, entropy).value();
  EXPECT_EQ(refusal_with([&](Contents& contents) { contents.roots.push_back(Listed::of(leaf).value()); }),
            "bundle.certificate")
      << "a root is a CA";
}

TEST_F(FirstBundle, OfAStrangerCostsNoVerificationOfItsCertificates) {
  auto contents = organisation_.first();
  contents.roles[0] = organisation_.role("a", "server", "Root-2");
  EXPECT_EQ(refusal(contents, {"mallory"}), "bundle.signatures");
  EXPECT_EQ(refusal(contents, {"Root-1", "Ann", "bob"}), "bundle.certificate");
}

TEST_F(FirstBundle, OfAPinnedRootWhoseKeyIsNotEcIsRefused) {
  crypto::SystemEntropy entropy;
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048);
  const crypto::CertificateProfile profile{
      .common_name = "RSA", .not_before = day(0), .not_after = day(9), .is_ca = true};
  const auto rsa_root = crypto::issue_certificate(profile, key.public_key(), nullptr, key, entropy).value();
  auto contents = organisation_.first();
  contents.roots.push_back(Listed::of(rsa_root).value());
  const auto envelope = organisation_.signed_by(contents, {"Root-1", "Ann", "bob"});
  EXPECT_EQ(code_of(TrustedBundle::begin(envelope, root_)), "") << "it may be one of the roots";
  EXPECT_EQ(code_of(TrustedBundle::begin(envelope, rsa_root)), "bundle.pinned-root");
}

TEST_F(FirstBundle, ThatWasBelievedIsTakenAgainByItsDigestAlone) {
  const auto envelope = organisation_.signed_by(organisation_.first(), {});
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {envelope.payload()});
  const auto resumed = TrustedBundle::resume(envelope, digest);
  ASSERT_TRUE(resumed) << to_string(resumed.error());
  EXPECT_EQ(resumed->digest(), digest);
  auto other = digest;
  other.writable()[0] ^= 1;
  EXPECT_EQ(code_of(TrustedBundle::resume(envelope, other)), "bundle.anchor");
}

TEST_F(FirstBundle, KnowsARevokedKeyInAnyEncoding) {
  auto contents = organisation_.first();
  contents.revoked.push_back(organisation_.revoked("server", "server-communication"));
  const auto point = crypto::ec_public_key(organisation_.public_key("server")).value();
  Bytes compressed = from_hex("3039301306072a8648ce3d020106082a8648ce3d030107032200").value();
  compressed.push_back(point.y().back() % 2 == 0 ? 0x02 : 0x03);
  compressed.insert(compressed.end(), point.x().begin(), point.x().end());
  const auto same = crypto::PublicKey::from_spki(compressed).value();

  const auto bundle = TrustedBundle::begin(organisation_.signed_by(contents, {"Root-1", "Ann", "bob"}), root_).value();
  EXPECT_TRUE(bundle.is_revoked(same));
  EXPECT_TRUE(bundle.is_revoked(organisation_.public_key("server")));
  ASSERT_NE(bundle.revocation_of(same), nullptr);
  EXPECT_EQ(bundle.revocation_of(same)->at, day(1));
  EXPECT_TRUE(bundle.role_certificates(role_name("server-communication")).empty());
  EXPECT_FALSE(bundle.trusts_role(role_name("server-communication"), contents.roles[0].certificates[0].certificate));
}

}  // namespace
}  // namespace warifu::trust_bundle

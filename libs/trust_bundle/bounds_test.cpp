#include <gtest/gtest.h>

#include <functional>

#include "trust_bundle/limits.h"
#include "trust_bundle/payload.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

class BundleBounds : public testing::Test {
 protected:
  std::string refusal(const Contents& contents) { return code_of(Payload::write(contents)); }
  // `fill` makes a list of so many: the most is taken, one more is not.
  void expect_bound(std::size_t most, const char* code, const std::function<void(Contents&, std::size_t)>& fill) {
    for (const std::size_t count : {most, most + 1}) {
      auto contents = organisation_.first();
      fill(contents, count);
      EXPECT_EQ(refusal(contents), count == most ? "" : code) << count;
    }
  }
  std::vector<std::string> names(const std::string& stem, std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i)
      names.push_back(stem + std::to_string(i));
    return names;
  }
  void fill_roles(Contents& contents, std::size_t roles, std::size_t certificates_each) {
    contents.roles.clear();
    for (std::size_t i = 0; i < roles; ++i) {
      contents.roles.push_back(Role{role_name("r" + std::to_string(i)), {}});
      for (std::size_t j = 0; j < certificates_each; ++j)
        contents.roles.back().certificates.push_back(organisation_.certified("Role" + std::to_string(i), "Root-1"));
    }
  }
  void fill_revoked(Contents& contents, std::size_t count) {
    contents.revoked.clear();
    for (std::size_t i = 0; i < count; ++i)
      contents.revoked.push_back({KeyId::of_encoding(as_bytes(std::to_string(i))), role_name("server-communication"),
                                  day(1), Reason::kKeyCompromise});
  }

  TestOrganisation organisation_;
};

TEST_F(BundleBounds, OfKeys) {
  expect_bound(kKeysMax, "bundle.format", [&](Contents& contents, std::size_t count) {
    contents.signing = organisation_.set(count, names("s", count));
  });
  expect_bound(kKeysMax, "bundle.format", [&](Contents& contents, std::size_t count) {
    contents.revocation = organisation_.set(1, names("r", count));
  });
}

TEST_F(BundleBounds, OfRootsAndRoles) {
  expect_bound(kRootsMax, "bundle.format", [&](Contents& contents, std::size_t count) {
    for (const auto& name : names("Root-x", count - 1))
      contents.roots.push_back(organisation_.root(name));
  });
  expect_bound(kRolesMax, "bundle.format",
               [&](Contents& contents, std::size_t count) { fill_roles(contents, count, 1); });
  expect_bound(kRoleCertificatesMax, "bundle.format",
               [&](Contents& contents, std::size_t count) { fill_roles(contents, 1, count); });
  expect_bound(kCertificatesMax, "bundle.format", [&](Contents& contents, std::size_t count) {
    fill_roles(contents, 32, 2);
    if (count > kCertificatesMax) contents.roles[0].certificates.push_back(organisation_.certified("Role0", "Root-1"));
  });
}

TEST_F(BundleBounds, OfRevocationsAndTexts) {
  expect_bound(kRevokedMax, "bundle.format",
               [&](Contents& contents, std::size_t count) { fill_revoked(contents, count); });
  expect_bound(kOrganisationSizeMax, "bundle.format",
               [](Contents& contents, std::size_t count) { contents.organisation = std::string(count, 'a'); });
  EXPECT_TRUE(RoleName::parse(std::string(kRoleNameMax, 'a')));
  EXPECT_EQ(code_of(RoleName::parse(std::string(kRoleNameMax + 1, 'a'))), "bundle.format");
}

TEST_F(BundleBounds, OfACertificate) {
  crypto::SystemEntropy entropy;
  const auto& key = organisation_.key("Root-1");
  const auto of_size = [&](std::size_t names) {
    crypto::CertificateProfile profile{
        .common_name = "Root-1", .not_before = day(0), .not_after = day(9), .is_ca = true};
    while (profile.dns_names.size() < names)
      profile.dns_names.push_back(std::string(60, 'a'));
    auto contents = organisation_.first();
    contents.roots[0] =
        Listed::of(crypto::issue_certificate(profile, key.public_key(), nullptr, key, entropy).value()).value();
    return contents;
  };
  EXPECT_EQ(refusal(of_size(50)), "");
  EXPECT_EQ(refusal(of_size(70)), "bundle.certificate");
}

TEST_F(BundleBounds, LetABundleThatIsFullInEveryListBeSignedByEverybody) {
  auto contents = organisation_.first();
  contents.organisation = std::string(kOrganisationSizeMax, 'a');
  contents.signing = organisation_.set(kKeysMax, names("S", kKeysMax));
  contents.revocation = organisation_.set(kKeysMax, names("R", kKeysMax));
  for (const auto& name : names("Root-x", kRootsMax - 1))
    contents.roots.push_back(organisation_.root(name));
  fill_roles(contents, kRolesMax, kCertificatesMax / kRolesMax);
  fill_revoked(contents, kRevokedMax);
  auto envelope = Envelope::of(Payload::write(contents).value());
  for (const char* stem : {"S", "R"})
    for (const auto& name : names(stem, kKeysMax))
      ASSERT_TRUE(envelope.sign(organisation_.key(name)));
  const std::string text = envelope.to_json();
  EXPECT_LE(text.size(), kEnvelopeSizeMax);
  EXPECT_TRUE(Envelope::parse(text));
}

}  // namespace
}  // namespace warifu::trust_bundle

// What an organisation practises before it happens: keys that are replaced, stolen, lost.
#include <gtest/gtest.h>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

class BundleDrill : public testing::Test {
 protected:
  const RoleName server_ = role_name("server-communication");
  const RoleName code_ = role_name("code-signing");
  TestOrganisation people_;
  const TrustedBundle first_ = people_.begun();
};

TEST_F(BundleDrill, ARootIsReplacedWithoutAGap) {
  auto both = TestOrganisation::after(first_);
  both.roots.push_back(people_.root("Root-2"));
  both.roles[0].certificates.push_back(people_.certified("server", "Root-2"));
  const auto second = people_.take(first_, both, {"Ann", "Cid"});
  EXPECT_EQ(second.roots().size(), 2u);
  EXPECT_EQ(second.role_certificates(server_).size(), 2u);

  auto only_new = TestOrganisation::after(second);
  only_new.roots.erase(only_new.roots.begin());
  only_new.roles[0].certificates.erase(only_new.roles[0].certificates.begin());
  only_new.roles.pop_back();
  const auto third = people_.take(second, only_new, {"bob", "Cid"});
  ASSERT_EQ(third.roots().size(), 1u);
  EXPECT_EQ(third.roots()[0].common_name(), "Root-2");
  EXPECT_EQ(third.role_certificates(server_).size(), 1u);
  // Who was made for the old root begins where that was, and follows.
  const auto& old_root = people_.root("Root-1").certificate;
  EXPECT_EQ(code_of(TrustedBundle::begin(people_.signed_by(only_new, {"Root-1", "bob", "Cid"}), old_root)),
            "bundle.pinned-root");
}

TEST_F(BundleDrill, AStolenRoleKeyIsRevokedByTheMasterRevocationKeysAlone) {
  const auto& stolen = first_.contents().roles[1].certificates[0].certificate;
  EXPECT_TRUE(first_.trusts_role(code_, stolen));

  const auto revoking = TestOrganisation::revoking(first_, {people_.revoked("code", "code-signing")});
  const auto second = people_.take(first_, revoking, {"Xia", "Zoe"});
  EXPECT_FALSE(second.trusts_role(code_, stolen));
  EXPECT_TRUE(second.role_certificates(code_).empty());
  EXPECT_TRUE(second.is_revoked(people_.public_key("code")));
  EXPECT_FALSE(second.is_revoked(people_.public_key("server")));
  EXPECT_EQ(second.role_certificates(server_).size(), 1u) << "others go on";

  auto anew = TestOrganisation::after(second);
  anew.roles[1].certificates[0] = people_.certified("code-2", "Root-1");
  const auto third = people_.take(second, anew, {"Ann", "bob"});
  EXPECT_EQ(third.role_certificates(code_).size(), 1u);
  EXPECT_TRUE(third.is_revoked(people_.public_key("code")));
}

TEST_F(BundleDrill, AStolenSigningKeyIsRevokedAndReplaced) {
  const auto revoking = TestOrganisation::revoking(first_, {people_.revoked("Cid", "signing")});
  const auto second = people_.take(first_, revoking, {"Xia", "yul"});
  auto replaced = TestOrganisation::after(second);
  replaced.signing = people_.set(2, {"Ann", "bob", "dan"});
  EXPECT_EQ(code_of(second.advance(people_.signed_by(replaced, {"Ann", "Cid", "dan"}))), "bundle.signatures");
  EXPECT_EQ(people_.take(second, replaced, {"Ann", "bob"}).version(), 3u);
}

TEST_F(BundleDrill, AStolenRootTakesWithItWhatItIssued) {
  auto with_two = TestOrganisation::after(first_);
  with_two.roots.push_back(people_.root("Root-2"));
  with_two.roles[1] = people_.role("code-signing", "code", "Root-2");
  const auto second = people_.take(first_, with_two, {"Ann", "bob"});
  const auto revoking = TestOrganisation::revoking(second, {people_.revoked("Root-1", "root")});
  const auto third = people_.take(second, revoking, {"Xia", "yul"});
  ASSERT_EQ(third.roots().size(), 1u);
  EXPECT_EQ(third.roots()[0].common_name(), "Root-2");
  EXPECT_TRUE(third.role_certificates(server_).empty());
  EXPECT_EQ(third.role_certificates(code_).size(), 1u);
}

TEST_F(BundleDrill, TooManySigningKeysAreStolenAndNothingIsBelievedThatTheThiefSigns) {
  // The thief is first, and has the fleet believe a team of his own.
  auto coup = TestOrganisation::after(first_);
  coup.signing = people_.set(1, {"mallory"});
  const auto taken_over = people_.take(first_, coup, {"Ann", "bob", "mallory"});
  // He cannot reach the revocation keys, and they end it.
  auto rid_of_them = TestOrganisation::after(taken_over);
  rid_of_them.revocation = people_.set(1, {"moll"});
  EXPECT_EQ(code_of(taken_over.advance(people_.signed_by(rid_of_them, {"mallory", "moll"}))), "bundle.signatures");
  const auto ended = people_.take(
      taken_over, TestOrganisation::revoking(taken_over, {people_.revoked("mallory", "signing")}), {"yul", "Zoe"});
  EXPECT_EQ(code_of(ended.advance(people_.signed_by(TestOrganisation::after(ended), {"mallory", "Ann", "bob"}))),
            "bundle.revoked-key");
}

}  // namespace
}  // namespace warifu::trust_bundle

// Who must sign, told while the signatures are collected.
#include <gtest/gtest.h>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

class BundleCeremony : public testing::Test {
 protected:
  // "who: signed_by/threshold, not_yet" of each group.
  static std::vector<std::string> told(const Result<std::vector<Quorum>>& quorums) {
    if (!quorums) return {std::string(quorums.error().code)};
    std::vector<std::string> lines;
    for (const Quorum& quorum : *quorums)
      lines.push_back(std::string(to_string(quorum.of)) + ": " + std::to_string(quorum.signed_by.size()) + " of " +
                      std::to_string(quorum.threshold) + ", " + std::to_string(quorum.not_yet.size()) + " could" +
                      (quorum.is_met()       ? ""
                       : quorum.can_be_met() ? ", unmet"
                                             : ", dead"));
    return lines;
  }
  using Lines = std::vector<std::string>;

  TestOrganisation organisation_;
  const crypto::Certificate root_ = organisation_.root("Root-1").certificate.clone();
};

TEST_F(BundleCeremony, OfTheFirstBundleTellsWhoIsMissing) {
  auto envelope = organisation_.signed_by(organisation_.first(), {});
  EXPECT_EQ(
      told(TrustedBundle::signatures_of_first(envelope, root_)),
      (Lines{"the pinned root: 0 of 1, 1 could, unmet", "the bundle's own signing keys: 0 of 2, 3 could, unmet"}));
  ASSERT_TRUE(envelope.sign(organisation_.key("bob")));
  ASSERT_TRUE(envelope.sign(organisation_.key("Root-1")));
  const auto quorums = TrustedBundle::signatures_of_first(envelope, root_);
  EXPECT_EQ(told(quorums),
            (Lines{"the pinned root: 1 of 1, 0 could", "the bundle's own signing keys: 1 of 2, 2 could, unmet"}));
  EXPECT_EQ(quorums->at(1).signed_by, std::vector{organisation_.id("bob")});
  EXPECT_EQ(quorums->at(1).not_yet, (std::vector{organisation_.id("Ann"), organisation_.id("Cid")}));
  const auto refused = TrustedBundle::begin(envelope, root_);
  ASSERT_EQ(code_of(refused), "bundle.signatures");
  EXPECT_NE(refused.error().message.find(organisation_.id("Cid").hex()), std::string::npos) << refused.error().message;
  EXPECT_EQ(told(TrustedBundle::signatures_of_first(envelope, organisation_.root("Root-2").certificate)),
            Lines{"bundle.pinned-root"});
}

TEST_F(BundleCeremony, OfTheNextBundleAsksThoseWhomItsChangesConcern) {
  const auto now = organisation_.begun();
  const auto ask = [&](const Contents& contents, const std::vector<std::string>& names = {}) {
    return told(now.signatures_of_next(organisation_.signed_by(contents, names)));
  };
  const Lines revocation = {"the revocation keys of the bundle before it: 1 of 2, 2 could, unmet"};
  EXPECT_EQ(ask(TestOrganisation::revoking(now, {organisation_.revoked("code", "code-signing")}), {"yul"}), revocation);
  EXPECT_EQ(ask(TestOrganisation::after(now), {"Ann", "bob"}),
            (Lines{"the signing keys of the bundle before it: 2 of 2, 1 could",
                   "the bundle's own signing keys: 2 of 2, 1 could"}));
  auto all = TestOrganisation::after(now);
  all.revocation = organisation_.set(1, {"Uma"});
  all.revoked.push_back(organisation_.revoked("Cid", "signing"));
  all.signing = organisation_.set(1, {"dan"});
  EXPECT_EQ(ask(all, {"Cid"}), (Lines{"the revocation keys of the bundle before it: 0 of 2, 3 could, unmet",
                                      "the signing keys of the bundle before it: 0 of 2, 2 could, unmet",
                                      "the bundle's own signing keys: 0 of 1, 1 could, unmet"}));
}

TEST_F(BundleCeremony, SeesThatNoSignaturesWillSuffice) {
  auto now = organisation_.begun();
  const auto revoking = TestOrganisation::revoking(
      now, {organisation_.revoked("Ann", "signing"), organisation_.revoked("bob", "signing")});
  now = organisation_.take(now, revoking, {"Xia", "yul"});
  auto anew = TestOrganisation::after(now);
  anew.signing = organisation_.set(1, {"dan"});
  EXPECT_EQ(told(now.signatures_of_next(organisation_.signed_by(anew, {"Ann", "bob", "Cid", "dan"}))),
            (Lines{"the signing keys of the bundle before it: 1 of 2, 0 could, dead",
                   "the bundle's own signing keys: 1 of 1, 0 could"}));
}

TEST_F(BundleCeremony, IsNotBegunWithWhatCannotBecomeABundle) {
  const auto now = organisation_.begun();
  const auto ask = [&](const Contents& contents) {
    return told(now.signatures_of_next(organisation_.signed_by(contents, {}))).front();
  };
  EXPECT_EQ(ask(organisation_.first()), "bundle.fork") << "its certificates were made anew";
  EXPECT_EQ(ask(now.contents()), "bundle.gap");
  auto foreign = TestOrganisation::after(now);
  foreign.roles[0] = organisation_.role("code", "server", "Root-2");
  EXPECT_EQ(ask(foreign), "bundle.certificate");
}

}  // namespace
}  // namespace warifu::trust_bundle

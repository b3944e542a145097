#include "bundle_shelf/bundle_shelf.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "keystore/files.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::bundle_shelf {
namespace {

using trust_bundle::Contents;
using trust_bundle::Envelope;
using trust_bundle::TestOrganisation;
using trust_bundle::TrustedBundle;

class BundleShelfTest : public testing::Test {
 protected:
  // Three bundles; the second brings another root beside the first one, which the third takes away.
  BundleShelfTest() {
    const auto first = organisation_.begun();
    envelopes_.push_back(organisation_.signed_by(organisation_.first(), {"Root-1", "Ann", "bob"}));
    Contents second = TestOrganisation::after(first);
    second.roots.push_back(organisation_.root("Root-2"));
    second.roles.push_back(organisation_.role("new-role", "new", "Root-2"));
    envelopes_.push_back(organisation_.signed_by(second, {"Ann", "bob", "Root-2"}));
    const auto taken = organisation_.take(first, second, {"Ann", "bob"});
    Contents third = TestOrganisation::after(taken);
    third.roots.erase(third.roots.begin());
    std::erase_if(third.roles, [](const auto& role) { return role.name.text() != "new-role"; });
    envelopes_.push_back(organisation_.signed_by(third, {"Ann", "bob"}));
  }
  static std::string code_of(const Status& status) { return status ? "" : std::string(status.error().code); }
  BundleShelf filled(const std::string& name, std::size_t count = 3) const {
    BundleShelf shelf(folder_.path() / name);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_TRUE(shelf.add(envelopes_[i]));
    return shelf;
  }

  TestOrganisation organisation_;
  std::vector<Envelope> envelopes_;
  const TempDir folder_;
};

TEST_F(BundleShelfTest, IsFollowedByWhoBelievesAnOldRootOrTheNewOne) {
  const auto shelf = filled("shelf");
  const auto newest = shelf.newest().value().value();
  EXPECT_EQ(newest.version(), 3U);
  for (const char* root : {"Root-1", "Root-2"})
    EXPECT_EQ(shelf.newest_for(organisation_.root(root).certificate).value()->digest(), newest.digest()) << root;
  EXPECT_EQ(shelf.newest_for(organisation_.root("Root-3").certificate).error().code, "bundle.pinned-root");
  EXPECT_FALSE(BundleShelf(folder_.path() / "none").newest_for(organisation_.root("Root-1").certificate).value());
}

TEST_F(BundleShelfTest, TakesWhatIsBeyondIt) {
  const auto whole = filled("whole");
  const auto behind = filled("behind", 1);
  EXPECT_EQ(behind.take_from(whole).value(), 2U);
  EXPECT_EQ(behind.newest().value()->version(), 3U);
  EXPECT_EQ(behind.take_from(whole).value(), 0U);
  EXPECT_EQ(whole.take_from(filled("again", 2)).value(), 0U) << "nothing goes back";
  EXPECT_EQ(whole.newest().value()->version(), 3U);
  EXPECT_EQ(whole.take_from(BundleShelf(folder_.path() / "none")).error().code, "root.bundles");
}

TEST_F(BundleShelfTest, TakesNothingOfAnotherLine) {
  const auto behind = filled("behind", 1);
  BundleShelf fork(folder_.path() / "fork");
  Contents other = organisation_.first();
  other.expires_at += std::chrono::days(1);
  ASSERT_TRUE(fork.add(organisation_.signed_by(other, {"Root-1", "Ann", "bob"})));
  const auto begun = fork.newest().value().value();
  ASSERT_TRUE(fork.add(organisation_.signed_by(TestOrganisation::after(begun), {"Ann", "bob"})));
  EXPECT_EQ(behind.take_from(fork).error().code, "bundle.fork");
  EXPECT_EQ(behind.read()->size(), 1U);
}

TEST_F(BundleShelfTest, TakesNothingAtAllOfALineThatIsBroken) {
  const auto behind = filled("behind", 1);
  const auto broken = filled("broken", 2);
  Contents unsigned_one = TestOrganisation::after(broken.newest().value().value());
  ASSERT_TRUE(keystore::write_file(folder_.path() / "broken/00000003.json",
                                   as_bytes(organisation_.signed_by(unsigned_one, {"Ann"}).to_json()),
                                   FileMode::kPublic));
  EXPECT_EQ(behind.take_from(broken).error().code, "bundle.signatures");
  EXPECT_EQ(behind.read()->size(), 1U);
}

TEST_F(BundleShelfTest, HoldsSoManyAndNoMore) {
  const auto shelf = filled("shelf", 1);
  for (std::size_t i = 2; i <= BundleShelf::kBundlesMax + 1; ++i)
    std::filesystem::copy_file(folder_.path() / "shelf/00000001.json",
                               folder_.path() / fmt::format("shelf/{:08}.json", i));
  EXPECT_EQ(shelf.read().error().code, "root.bundles");
}

TEST_F(BundleShelfTest, TakesNoneBeyondWhatItHolds) {
  filled("shelf", 1);
  const BundleShelf small(folder_.path() / "shelf", 2);
  EXPECT_TRUE(small.add(envelopes_[1]));
  EXPECT_EQ(code_of(small.add(envelopes_[2])), "root.bundles");
  EXPECT_EQ(code_of(small.add(envelopes_[1])), "") << "which is here";
  EXPECT_EQ(small.newest().value()->version(), 2U) << "it can be read as before";
}

}  // namespace
}  // namespace warifu::bundle_shelf

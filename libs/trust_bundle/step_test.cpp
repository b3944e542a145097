#include <gtest/gtest.h>

#include "trust_bundle/test_next_bundle.h"

namespace warifu::trust_bundle {
namespace {

TEST_F(NextBundle, HasTheNextVersionAndNoOther) {
  for (const auto& [version, code] : {std::pair(3u, "bundle.gap"), {2u, ""}, {1u, "bundle.fork"}})
    EXPECT_EQ(refusal(with([v = version](Contents& contents) { contents.version = v; }), everybody_), code) << version;
  EXPECT_EQ(refusal(with([](Contents& contents) { contents.version = (std::uint64_t{1} << 53) - 1; }), everybody_),
            "bundle.gap");
}

TEST_F(NextBundle, StaysWithItsOrganisationAndDoesNotGoBackInTime) {
  EXPECT_EQ(refusal(with([](Contents& contents) { contents.organisation += "!"; }), everybody_), "bundle.organisation");
  EXPECT_EQ(
      refusal(with([](Contents& contents) { contents.issued_at = day(0) - std::chrono::seconds(1); }), everybody_),
      "bundle.issued-at");
  EXPECT_EQ(refusal(with([](Contents& contents) { contents.issued_at = day(0); }), everybody_), "");
  EXPECT_EQ(refusal(with([](Contents& contents) { contents.expires_at = day(20); }), everybody_), "")
      << "an end may come sooner";
}

TEST_F(NextBundle, NeedsTheSigningKeysOfBoth) {
  const auto next = with([&](Contents& contents) { contents.signing = people_.set(2, {"Cid", "dan", "eve"}); });
  EXPECT_EQ(refusal(next, {"Ann", "bob", "dan", "eve"}), "");
  EXPECT_EQ(refusal(next, {"Ann", "Cid", "dan"}), "") << "a key may stand on both sides";
  EXPECT_EQ(refusal(next, {"Ann", "dan", "eve"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Ann", "bob", "dan"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Xia", "yul", "Zoe", "dan", "eve"}), "bundle.signatures");
  const auto lower = with([](Contents& contents) { contents.signing.threshold = 1; });
  EXPECT_EQ(refusal(lower, {"Ann"}), "bundle.signatures") << "the old threshold counts, too";
  EXPECT_EQ(refusal(lower, {"Ann", "bob"}), "");
}

TEST_F(NextBundle, ChangesRevocationKeysOnlyByThemAndTheSigningKeys) {
  const auto next = with([&](Contents& contents) { contents.revocation = people_.set(1, {"Uma"}); });
  EXPECT_EQ(refusal(next, {"Ann", "bob", "Uma"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Xia", "yul", "Zoe", "Uma"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Ann", "bob", "Xia"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Ann", "bob", "Xia", "yul"}), "");
}

TEST_F(NextBundle, CountsNoSigningKeyThatIsRevoked) {
  // By the very bundle that it signs.
  const auto revoking_cid = with([&](Contents& contents) {
    contents.revoked.push_back(people_.revoked("Cid", "signing"));
    contents.signing = people_.set(2, {"Ann", "bob"});
  });
  EXPECT_EQ(refusal(revoking_cid, {"Ann", "Cid", "bob", "Xia", "yul"}), "");
  const auto other_team = with([&](Contents& contents) {
    contents.revoked.push_back(people_.revoked("Cid", "signing"));
    contents.signing = people_.set(1, {"Ann"});
  });
  EXPECT_EQ(refusal(other_team, {"Ann", "Cid", "Xia", "yul"}), "bundle.signatures");
  const auto kept = with([&](Contents& contents) { contents.revoked.push_back(people_.revoked("Cid", "signing")); });
  EXPECT_EQ(refusal(kept, everybody_), "bundle.revoked-key");
}

TEST_F(NextBundle, CannotBeSignedWhenTooManySigningKeysAreRevokedButRevocationGoesOn) {
  const auto too_many = revoking({people_.revoked("Ann", "signing"), people_.revoked("bob", "signing")});
  now_ = people_.take(now_, too_many, {"Xia", "yul"});
  auto anew = TestOrganisation::after(now_);
  anew.signing = people_.set(1, {"Cid"});
  const auto refused = now_.advance(people_.signed_by(anew, everybody_));
  ASSERT_EQ(code_of(refused), "bundle.signatures");
  EXPECT_NE(refused.error().message.find("too many are revoked"), std::string::npos) << refused.error().message;
  EXPECT_EQ(refusal(revoking({people_.revoked("code", "code-signing")}), {"Xia", "yul"}), "");
}

}  // namespace
}  // namespace warifu::trust_bundle

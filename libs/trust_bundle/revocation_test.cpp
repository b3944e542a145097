// What only the revocation keys may do, and what they may not.
#include <gtest/gtest.h>

#include <functional>

#include "trust_bundle/test_next_bundle.h"

namespace warifu::trust_bundle {
namespace {

class BundleRevocation : public NextBundle {};

TEST_F(BundleRevocation, NeedsTheRevocationKeys) {
  const auto next = with([&](Contents& contents) {
    contents.revoked.push_back(people_.revoked("code", "code-signing"));
    contents.roles.pop_back();
  });
  EXPECT_EQ(refusal(next, {"Ann", "bob", "Cid"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Ann", "bob", "Xia"}), "bundle.signatures");
  EXPECT_EQ(refusal(next, {"Xia", "yul", "Zoe"}), "bundle.signatures") << "more changed than revocations";
  EXPECT_EQ(refusal(next, {"Ann", "bob", "Xia", "Zoe"}), "");
}

TEST_F(BundleRevocation, ByTheRevocationKeysAloneChangesNothingElse) {
  const auto right = revoking({people_.revoked("code", "code-signing")});
  EXPECT_EQ(refusal(right, {"Xia", "yul"}), "");
  EXPECT_EQ(refusal(right, {"Xia", "Ann", "bob", "Cid"}), "bundle.signatures");
  const std::vector<std::pair<const char*, std::function<void(Contents&)>>> changes = {
      {"end", [](Contents& contents) { contents.expires_at += std::chrono::days(1); }},
      {"signing threshold", [](Contents& contents) { contents.signing.threshold = 1; }},
      {"signing keys",
       [&](Contents& contents) {
         contents.signing = people_.set(2, {"Ann", "bob", "Xena"});
       }},
      {"revocation threshold", [](Contents& contents) { contents.revocation.threshold = 1; }},
      {"revocation keys",
       [&](Contents& contents) {
         contents.revocation = people_.set(2, {"Xia", "yul"});
       }},
      {"roots", [&](Contents& contents) { contents.roots.push_back(people_.root("Root-2")); }},
      {"a role less", [](Contents& contents) { contents.roles.pop_back(); }},
      {"the name of a role", [](Contents& contents) { contents.roles[0].name = role_name("other"); }},
      {"a certificate",
       [&](Contents& contents) { contents.roles[0].certificates[0] = people_.certified("server", "Root-1"); }},
      {"nothing at all", [](Contents& contents) { contents.revoked.clear(); }},
  };
  for (const auto& [what, change] : changes) {
    auto contents = right.clone();
    change(contents);
    EXPECT_EQ(refusal(contents, {"Xia", "yul", "Zoe"}), "bundle.signatures") << what;
  }
}

TEST_F(BundleRevocation, IsNeverTakenBackOrChanged) {
  now_ = people_.take(now_, revoking({people_.revoked("code", "code-signing"), people_.revoked("old", "code-signing")}),
                      {"Xia", "yul"});
  const std::vector<std::pair<const char*, std::function<void(Contents&)>>> changes = {
      {"gone", [](Contents& contents) { contents.revoked.pop_back(); }},
      {"another in its place", [&](Contents& contents) { contents.revoked[1] = people_.revoked("new", "x"); }},
      {"role", [](Contents& contents) { contents.revoked[0].role = role_name("x"); }},
      {"time", [](Contents& contents) { contents.revoked[0].at += std::chrono::microseconds(1); }},
      {"reason", [](Contents& contents) { contents.revoked[0].reason = Reason::kCessation; }},
  };
  for (const auto& [what, change] : changes)
    EXPECT_EQ(refusal(with(change), everybody_), "bundle.unrevoked") << what;
  EXPECT_EQ(
      refusal(with([](Contents& contents) { std::swap(contents.revoked[0], contents.revoked[1]); }), {"Ann", "bob"}),
      "")
      << "their order says nothing";
}

TEST_F(BundleRevocation, OfARevocationKeyMayHaveItsOwnHelpAndIsItsLastAct) {
  now_ = people_.take(now_, revoking({people_.revoked("Xia", "revocation")}), {"Xia", "yul"});
  const auto more = revoking({people_.revoked("code", "code-signing")});
  EXPECT_EQ(refusal(more, {"Xia", "yul"}), "bundle.signatures");
  EXPECT_EQ(refusal(more, {"yul", "Zoe"}), "");
  const auto kept_with_others = with([&](Contents& contents) {
    contents.revocation = people_.set(2, {"Xia", "yul", "Uma"});
  });
  EXPECT_EQ(refusal(kept_with_others, everybody_), "bundle.revoked-key");
  EXPECT_EQ(refusal(with([](Contents&) {}), {"Ann", "bob"}), "")
      << "who only signs need not change the revocation keys";
}

}  // namespace
}  // namespace warifu::trust_bundle

// Matched first, judged then: what no quote proved cannot reach a policy.
#include <gtest/gtest.h>

#include <concepts>

#include "measured_boot/ima/policy.h"
#include "measured_boot/ima/test_match.h"

namespace warifu::measured_boot::ima {
namespace {

using test::TestList;

// Nobody makes what a policy takes but who compared it with a quoted register.
template <class T>
concept Judgeable = requires(const T& list, const Policy& policy) {
  judge(list, policy);
};
static_assert(Judgeable<MeasuredList>);
static_assert(!Judgeable<ByteView> && !Judgeable<Replay> && !Judgeable<Entry>);
static_assert(!std::default_initializable<MeasuredList> && !std::constructible_from<MeasuredList, ByteView>);

TestList list_with(std::initializer_list<std::string_view> files) {
  TestList list;
  list.add_file("boot_aggregate", "boot");
  for (const std::string_view file : files)
    list.add_file(file, file);
  return list;
}

Policy policy_for(std::initializer_list<std::string_view> files) {
  Policy policy;
  for (const std::string_view file : files) {
    const auto content = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(file)});
    FileDigest digest;
    digest.algorithm = "sha256";
    digest.bytes = content.bytes();
    EXPECT_TRUE(policy.files.allow(file, digest));
  }
  return policy;
}

TEST(ImaPolicy, I11_WhatNoQuoteProvedIsNotJudged) {
  const Policy policy = policy_for({"/bin/a", "/bin/b"});
  const TestList proved = list_with({"/bin/a", "/bin/b"});
  const Bank quoted = test::quoted_after(proved.bytes());
  // What came after the quote waits for the next one, however bad it is.
  const TestList longer = list_with({"/bin/a", "/bin/b", "/bin/rootkit"});
  const auto match = match_quote(longer.bytes(), quoted);
  ASSERT_TRUE(match) << to_string(match.error());
  EXPECT_EQ(match->beyond, 1u);
  EXPECT_TRUE(judge(match->measured, policy).is_good());
  EXPECT_EQ(judge(match->measured, policy).entries, 3u);
  // The next one proves it, and then it fails.
  const auto next = match_quote(longer.bytes(), test::quoted_after(longer.bytes()));
  ASSERT_TRUE(next) << to_string(next.error());
  EXPECT_EQ(judge(next->measured, policy).failed, 1u);
  // A list of nothing but what is allowed, of another boot: there is nothing to judge.
  const TestList other = list_with({"/bin/b", "/bin/a"});
  const auto refused = match_quote(other.bytes(), quoted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ima.no-match");
}

}  // namespace
}  // namespace warifu::measured_boot::ima

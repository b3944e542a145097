#include "measured_boot/ima/policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "measured_boot/ima/test_match.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using test::digest_field;
using test::matched;
using test::name_field;
using test::TestList;

// Owns the bytes that a FileDigest only views.
struct Sha256Of {
  explicit Sha256Of(std::string_view content) : digest(crypto::digest(HashAlgorithm::kSha256, {as_bytes(content)})) {}
  FileDigest view(FileDigest::Kind kind = FileDigest::Kind::kFile) const {
    FileDigest file;
    file.kind = kind;
    file.algorithm = "sha256";
    file.bytes = digest.bytes();
    return file;
  }
  crypto::Digest digest;
};

Policy policy_of(std::initializer_list<std::pair<std::string_view, std::string_view>> files) {
  Policy policy;
  for (const auto& [path, content] : files)
    EXPECT_TRUE(policy.files.allow(path, Sha256Of(content).view()));
  return policy;
}

TEST(ImaAllowList, I15_JudgesByDigestFirstAndPathSecond) {
  const Policy policy = policy_of({{"/bin/sh", "dash"}, {"/bin/sh", "bash"}, {"/bin/ls", "ls"}, {"/init", "dash"}});
  const AllowList& files = policy.files;
  EXPECT_EQ(files.size(), 4U);
  using Verdict = AllowList::Verdict;
  EXPECT_EQ(files.judge("/bin/sh", Sha256Of("dash").view()), Verdict::kAllowed);
  EXPECT_EQ(files.judge("/bin/sh", Sha256Of("bash").view()), Verdict::kAllowed);
  EXPECT_EQ(files.judge("/overlay/bin/sh", Sha256Of("bash").view()), Verdict::kOtherPath);
  EXPECT_EQ(files.judge("/bin/ls", Sha256Of("rootkit").view()), Verdict::kChanged);
  EXPECT_EQ(files.judge("/bin/cat", Sha256Of("rootkit").view()), Verdict::kUnknown);
  // A digest of fs-verity is no digest of a file.
  EXPECT_EQ(files.judge("/bin/ls", Sha256Of("ls").view(FileDigest::Kind::kVerity)), Verdict::kChanged);
  FileDigest cut = Sha256Of("ls").view();
  const Bytes twenty(20, 1);
  cut.bytes = twenty;
  EXPECT_EQ(files.judge("/bin/ls", cut), Verdict::kChanged);
  EXPECT_FALSE(AllowList().allow("/bin/ls", cut));
}

TEST(ImaAllowList, FindsEachOfManyAndNoOther) {
  AllowList files;
  constexpr int kCount = 30'000;
  for (int i = 0; i < kCount; ++i)
    ASSERT_TRUE(
        files.allow(fmt::format("/usr/share/{}/{}", i % 97, i), Sha256Of(fmt::format("{}", i % 20'000)).view()));
  for (int i = 0; i < kCount; ++i) {
    const auto path = fmt::format("/usr/share/{}/{}", i % 97, i);
    ASSERT_EQ(files.judge(path, Sha256Of(fmt::format("{}", i % 20'000)).view()), AllowList::Verdict::kAllowed) << i;
    ASSERT_EQ(files.judge(path, Sha256Of(fmt::format("{}", (i + 1) % 20'000)).view()), AllowList::Verdict::kOtherPath);
    ASSERT_EQ(files.judge(path, Sha256Of(fmt::format("bad {}", i)).view()), AllowList::Verdict::kChanged);
    ASSERT_EQ(files.judge(path + "x", Sha256Of(fmt::format("bad {}", i)).view()), AllowList::Verdict::kUnknown);
  }
}

TEST(ImaAllowList, ComparesWhatHasTheSameFingerprint) {
  // This word makes the fingerprint forget what stood before it, so that these paths have one, with any digest.
  const auto path_of = [](std::string_view start) { return std::string(start) + "\x45\x73\x70\x03\x2e\x8a\x19\x13"; };
  AllowList files;
  ASSERT_TRUE(files.allow(path_of("/bin/one"), Sha256Of("one").view()));
  ASSERT_TRUE(files.allow(path_of("/bin/two"), Sha256Of("two").view()));
  using Verdict = AllowList::Verdict;
  EXPECT_EQ(files.judge(path_of("/bin/one"), Sha256Of("one").view()), Verdict::kAllowed);
  EXPECT_EQ(files.judge(path_of("/bin/two"), Sha256Of("two").view()), Verdict::kAllowed);
  EXPECT_EQ(files.judge(path_of("/bin/two"), Sha256Of("one").view()), Verdict::kOtherPath);
  EXPECT_EQ(files.judge(path_of("/bin/two"), Sha256Of("bad").view()), Verdict::kChanged);
  EXPECT_EQ(files.judge(path_of("/bin/six"), Sha256Of("bad").view()), Verdict::kUnknown);
}

TEST(ImaPolicy, JudgesEachEntryOfTheMatch) {
  const auto list = TestList()
                        .add_file("boot_aggregate", "pcrs")
                        .add_file("/bin/sh", "dash")
                        .add_file("/bin/ls", "rootkit")
                        .add_file("/tmp/x", "x")
                        .add_file("/snap/bin/sh", "dash")
                        .add("future", {{1}})
                        .add("ima-ng", {name_field("/bin/sh"), digest_field("dash")});
  Policy policy = policy_of({{"/bin/sh", "dash"}, {"/bin/ls", "ls"}});
  Judgement judgement = judge(matched(list).measured, policy);
  EXPECT_EQ(judgement.entries, 7U);
  EXPECT_EQ(judgement.allowed, 1U);
  EXPECT_EQ(judgement.boot_aggregates, 1U);
  EXPECT_EQ(judgement.other_path, 1U);
  EXPECT_EQ(judgement.failed, 4U);
  ASSERT_EQ(judgement.findings.size(), 4U);
  EXPECT_EQ(judgement.findings[0].kind, Finding::Kind::kChanged);
  EXPECT_EQ(judgement.findings[0].name, "/bin/ls");
  EXPECT_EQ(judgement.findings[1].kind, Finding::Kind::kUnknown);
  EXPECT_EQ(judgement.findings[2].kind, Finding::Kind::kUnreadable);
  EXPECT_EQ(judgement.findings[3].kind, Finding::Kind::kUnreadable);
  policy.allow_other_paths = false;
  judgement = judge(matched(list).measured, policy);
  EXPECT_EQ(judgement.failed, 5U);
  EXPECT_TRUE(judge(matched(TestList().add_file("/bin/sh", "dash")).measured, policy).is_good());
}

TEST(ImaPolicy, I10_AFileNamedBootAggregateIsJudgedAsAFile) {
  const auto list = TestList()
                        .add_file("boot_aggregate", "pcrs")
                        .add_file("boot_aggregate", "evil")
                        .add_file("boot_aggregate", "more");
  const Match match = matched(list);
  const Policy policy;
  for (std::uint64_t kexecs = 0; kexecs < 4; ++kexecs) {
    const Judgement judgement = judge(match.measured, policy, kexecs);
    EXPECT_EQ(judgement.boot_aggregates, std::min<std::uint64_t>(1 + kexecs, 3));
    EXPECT_EQ(judgement.failed, 2 - std::min<std::uint64_t>(kexecs, 2));
  }
  ASSERT_EQ(judge(match.measured, policy).findings.size(), 2U);
  EXPECT_EQ(judge(match.measured, policy).findings[0].kind, Finding::Kind::kUnknown);
  EXPECT_EQ(judge(match.measured, policy).findings[0].entry, 2U);
  // In what is new in a list, a kexec that was seen before counts.
  const auto first = match_quote(ByteView(list.bytes()).first(list.starts()[2]),
                                 test::quoted_after(ByteView(list.bytes()).first(list.starts()[2])));
  const auto rest =
      match_quote(ByteView(list.bytes()).subspan(list.starts()[2]), test::quoted_after(list.bytes()), &first->verified);
  ASSERT_TRUE(rest) << to_string(rest.error());
  EXPECT_EQ(judge(rest->measured, policy, 1).failed, 1U);
  EXPECT_EQ(judge(rest->measured, policy, 2).failed, 0U);
}

TEST(ImaPolicy, I1_ViolationsFailUnlessThePolicySaysOtherwise) {
  const auto list = TestList().add_violation("ima-ng", {digest_field("x"), name_field("/var/log/syslog")});
  const Match match = matched(list);
  Policy policy;
  EXPECT_FALSE(judge(match.measured, policy).is_good());
  policy.violations = Policy::Violations::kWarn;
  Judgement judgement = judge(match.measured, policy);
  EXPECT_TRUE(judgement.is_good());
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_EQ(judgement.findings[0].kind, Finding::Kind::kViolation);
  EXPECT_EQ(judgement.findings[0].digest, "") << "a zero digest is the digest of no file";

  policy.violations = Policy::Violations::kFail;
  policy.tolerated_violations.push_back(Exclude::parse("/var/log/").value());
  judgement = judge(match.measured, policy);
  EXPECT_TRUE(judgement.is_good());
  EXPECT_EQ(judgement.tolerated_violations, 1U);
  policy.tolerated_violations[0] = Exclude::parse("/var/lib/").value();
  EXPECT_FALSE(judge(match.measured, policy).is_good());
  // An exclude for files is none for violations.
  policy.excludes.push_back(Exclude::parse("/var/log/").value());
  EXPECT_FALSE(judge(match.measured, policy).is_good());
}

TEST(ImaPolicy, I13_ExcludesAreAnchoredAndTheirShareIsShown) {
  for (const std::string_view text : {"", "/", ".*", "/.*", "/tmp/.*", "tmp/", "/tmp/../", "/tmp/..", "//"}) {
    const auto exclude = Exclude::parse(text);
    ASSERT_FALSE(exclude) << text;
    EXPECT_EQ(exclude.error().code, "ima.policy.exclude");
  }
  Policy policy = policy_of({{"/bin/sh", "dash"}, {"/tmp/known", "good"}});
  policy.excludes = {Exclude::parse("/tmp/").value(), Exclude::parse("/run/one").value()};
  const auto list =
      TestList().add_file("/bin/sh", "dash").add_file("/tmp/a", "a").add_file("/tmp/b", "b").add_file("/run/one", "1");
  const Judgement judgement = judge(matched(list).measured, policy);
  EXPECT_TRUE(judgement.is_good());
  EXPECT_EQ(judgement.excluded, (std::vector<std::uint64_t>{2, 1}));
  EXPECT_DOUBLE_EQ(judgement.share_of(0), 0.5);
  EXPECT_FALSE(judge(matched(TestList().add_file("/home/tmp/a", "a")).measured, policy).is_good());
  EXPECT_FALSE(judge(matched(TestList().add_file("/run/one/more", "a")).measured, policy).is_good());
  EXPECT_FALSE(judge(matched(TestList().add_file("/tmp/known", "bad")).measured, policy).is_good())
      << "an exclude hides no file whose digest is known and is another one";
}

TEST(ImaPolicy, I14_AWithdrawnDigestFailsWhenTheSameListIsJudgedAgain) {
  const auto list = TestList().add_file("/bin/sh", "dash").add_file("/snap/sh", "dash");
  const Match match = matched(list);
  Policy policy = policy_of({{"/bin/sh", "dash"}});
  EXPECT_TRUE(judge(match.measured, policy).is_good());
  policy.excludes.push_back(Exclude::parse("/snap/").value());
  ASSERT_TRUE(policy.files.withdraw(Sha256Of("dash").view()));
  const Judgement judgement = judge(match.measured, policy);
  ASSERT_EQ(judgement.findings.size(), 2U);
  EXPECT_EQ(judgement.failed, 2U);
  EXPECT_EQ(judgement.findings[0].kind, Finding::Kind::kWithdrawn);
}

constexpr Timestamp kUntil{std::chrono::seconds(1'796'083'200)};
constexpr std::chrono::microseconds kTick{1};

TEST(ImaAllowList, I14_ADigestIsGoodUntilItsWindowClosesAndThenUnderNoPath) {
  AllowList files;
  ASSERT_TRUE(files.allow("/bin/sh", Sha256Of("new").view()));
  ASSERT_TRUE(files.allow_until("/bin/sh", Sha256Of("old").view(), kUntil));
  ASSERT_TRUE(files.allow_until("/bin/dash", Sha256Of("old").view(), kUntil));
  using Verdict = AllowList::Verdict;
  const auto judged = [&](std::string_view path, std::string_view content, Timestamp now) {
    return files.judge(path, Sha256Of(content).view(), now);
  };
  for (const char* path : {"/bin/sh", "/bin/dash"}) {
    EXPECT_EQ(judged(path, "old", kUntil - kTick), Verdict::kAllowed);
    EXPECT_EQ(judged(path, "old", kUntil), Verdict::kRetired);
  }
  EXPECT_EQ(judged("/overlay/sh", "old", kUntil - kTick), Verdict::kOtherPath);
  EXPECT_EQ(judged("/overlay/sh", "old", kUntil), Verdict::kRetired);
  EXPECT_EQ(judged("/bin/sh", "new", kUntil), Verdict::kAllowed);
  EXPECT_EQ(files.judge("/bin/sh", Sha256Of("old").view()), Verdict::kRetired) << "who says no time gets no windows";
  EXPECT_EQ(files.end_of(Sha256Of("old").view()), kUntil);
  EXPECT_FALSE(files.end_of(Sha256Of("new").view()));
}

TEST(ImaAllowList, I14_ADigestHasOneEnd) {
  AllowList files;
  ASSERT_TRUE(files.allow("/bin/sh", Sha256Of("good").view()));
  ASSERT_TRUE(files.allow_until("/bin/ls", Sha256Of("old").view(), kUntil));
  EXPECT_FALSE(files.allow_until("/bin/sh", Sha256Of("good").view(), kUntil));
  EXPECT_FALSE(files.allow_until("/bin/bash", Sha256Of("good").view(), kUntil)) << "under another path, too";
  EXPECT_FALSE(files.allow_until("/bin/ls", Sha256Of("old").view(), kUntil + kTick));
  EXPECT_FALSE(files.allow("/bin/ls", Sha256Of("old").view()));
  EXPECT_FALSE(files.allow("/bin/cp", Sha256Of("old").view()));
  EXPECT_TRUE(files.allow_until("/bin/ls", Sha256Of("old").view(), kUntil));
  EXPECT_EQ(files.size(), 2U);
  for (std::size_t i = 2; i < AllowList::kWindowsMax; ++i)
    files.allow_until("/bin/x", Sha256Of(fmt::format("{}", i)).view(), kUntil + i * kTick);
  EXPECT_EQ(files.size(), AllowList::kWindowsMax);
  EXPECT_FALSE(files.allow_until("/bin/x", Sha256Of("one more").view(), kUntil - kTick));
}

TEST(ImaAllowList, I14_TellsWhetherAWindowClosedInBetween) {
  AllowList files;
  EXPECT_FALSE(files.changes_between(Timestamp::min(), Timestamp::max()));
  ASSERT_TRUE(files.allow_until("/bin/sh", Sha256Of("old").view(), kUntil));
  EXPECT_TRUE(files.changes_between(kUntil - kTick, kUntil));
  EXPECT_TRUE(files.changes_between(kUntil, kUntil - kTick)) << "a clock that goes backwards";
  EXPECT_FALSE(files.changes_between(kUntil, kUntil + kTick));
  EXPECT_FALSE(files.changes_between(kUntil - 2 * kTick, kUntil - kTick));
}

TEST(ImaPolicy, I14_WhatWasGoodUntilAWindowClosedFailsWhenItIsJudgedAgain) {
  const auto list = TestList().add_file("/bin/sh", "old").add_file("/snap/sh", "old").add_file("/bin/sh", "new");
  const Match match = matched(list);
  Policy policy = policy_of({{"/bin/sh", "new"}});
  ASSERT_TRUE(policy.files.allow_until("/bin/sh", Sha256Of("old").view(), kUntil));
  policy.excludes.push_back(Exclude::parse("/snap/").value());
  EXPECT_TRUE(judge(match.measured, policy, 0, kUntil - kTick).is_good());
  const Judgement judgement = judge(match.measured, policy, 0, kUntil);
  EXPECT_EQ(judgement.failed, 2U);
  EXPECT_EQ(judgement.allowed, 1U);
  ASSERT_EQ(judgement.findings.size(), 2U);
  EXPECT_EQ(judgement.findings[0].kind, Finding::Kind::kRetired);
  EXPECT_EQ(judgement.findings[0].until, kUntil);
  EXPECT_EQ(judgement.findings[1].name, "/snap/sh") << "no exclude lets it through";
}

TEST(ImaPolicy, I16_TellsWhetherWhatIsRequiredWasMeasured) {
  Policy policy = policy_of({{"/etc/ima/ima-policy", "measure everything"}});
  policy.required = {"/etc/ima/ima-policy"};
  EXPECT_EQ(
      judge(matched(TestList().add_file("/etc/ima/ima-policy", "measure everything")).measured, policy).required_seen,
      std::vector<bool>{true});
  EXPECT_EQ(judge(matched(TestList().add_file("/etc/ima/ima-policy", "dont_measure")).measured, policy).required_seen,
            std::vector<bool>{false});
}

TEST(ImaPolicy, KeepsSoManyFindingsAndCountsTheRest) {
  TestList list;
  for (std::size_t i = 0; i < kMaxFindings + 5; ++i)
    list.add_file(fmt::format("/x/{}", i), "x");
  const Judgement judgement = judge(matched(list).measured, Policy());
  EXPECT_EQ(judgement.failed, kMaxFindings + 5);
  EXPECT_EQ(judgement.findings.size(), kMaxFindings);
}

}  // namespace
}  // namespace warifu::measured_boot::ima

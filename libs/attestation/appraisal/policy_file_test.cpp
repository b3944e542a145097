#include "attestation/appraisal/policy_file.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/private_key.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;

std::string policy(const std::string& members) {
  return R"({"format":"warifu.evidence-policy.v1",)" + members + "}";
}

TEST(EvidencePolicy, ReadsAllOfIt) {
  const auto read = parse_evidence_policy(policy(
      R"("registers":{"sha256":[0,7],"sha1":[10]},
         "boot":{"claims":["secure-boot"],"events":[{"name":"shim","pcr":4,"sha256":")" +
      std::string(64, 'a') + R"("}]},
         "ima":{"files":[{"path":"/usr/bin/true","digests":["sha256:)" +
      std::string(64, 'b') + R"("]}],
                "excludes":["/var/log/"],"violations":"warn","other_paths":false,"required":["ima_policy"],"registers":[11]})"));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->registers.size(), 3u);
  EXPECT_EQ(read->boot.claims.size(), 1u);
  ASSERT_EQ(read->boot.events.size(), 1u);
  EXPECT_EQ(read->boot.events[0].digest->algorithm(), HashAlgorithm::kSha256);
  ASSERT_TRUE(read->ima);
  const auto& ima = read->ima->policy;
  using Ima = measured_boot::ima::Policy;
  EXPECT_EQ(ima.files.size(), 1u);
  ASSERT_EQ(ima.excludes.size(), 1u);
  EXPECT_EQ(ima.excludes[0].text(), "/var/log/");
  EXPECT_TRUE(ima.tolerated_violations.empty());
  EXPECT_EQ(ima.violations, Ima::Violations::kWarn);
  EXPECT_EQ(ima.signatures, Ima::Signatures::kIgnore);
  EXPECT_EQ(ima.required, std::vector<std::string>{"ima_policy"});
  EXPECT_FALSE(ima.allow_other_paths);
  EXPECT_TRUE(read->ima->registers.contains(11));
  EXPECT_TRUE(parse_evidence_policy(R"({"format":"warifu.evidence-policy.v1"})"));
}

TEST(EvidencePolicy, ReadsWhatSignaturesAndViolationsAreWorth) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key();
  const auto withdrawn = crypto::digest(HashAlgorithm::kSha256, {as_bytes(std::string_view("old"))});
  const boost::json::object ima{{"signatures", "require"},
                                {"keys", boost::json::array{key.to_pem()}},
                                {"tolerated_violations", boost::json::array{"/var/log/wtmp"}},
                                {"withdrawn", boost::json::array{"sha256:" + to_hex(withdrawn.bytes())}}};
  const auto read = parse_evidence_policy(policy(R"("ima":)" + boost::json::serialize(ima)));
  ASSERT_TRUE(read) << to_string(read.error());
  const auto& policy = read->ima->policy;
  EXPECT_EQ(policy.signatures, measured_boot::ima::Policy::Signatures::kRequire);
  EXPECT_EQ(policy.violations, measured_boot::ima::Policy::Violations::kFail);
  EXPECT_TRUE(policy.excludes.empty());
  ASSERT_EQ(policy.tolerated_violations.size(), 1u);
  EXPECT_EQ(policy.tolerated_violations[0].text(), "/var/log/wtmp");
  using measured_boot::ima::AllowList;
  const measured_boot::ima::FileDigest digest{measured_boot::ima::FileDigest::Kind::kFile, "sha256", withdrawn.bytes()};
  EXPECT_EQ(policy.files.judge("/bin/old", digest), AllowList::Verdict::kWithdrawn);
  EXPECT_TRUE(policy.allow_other_paths);
}

TEST(EvidencePolicy, ReadsUntilWhenDigestsAreGood) {
  const std::string old_digest = "sha256:" + std::string(64, 'a');
  const auto read = parse_evidence_policy(
      policy(R"("ima":{"retiring":[{"until":"2026-12-15T00:00:00Z","files":[{"path":"/usr/bin/true","digests":[")" +
             old_digest + R"("]}]}]})"));
  ASSERT_TRUE(read) << to_string(read.error());
  using measured_boot::ima::AllowList;
  const Bytes bytes(32, 0xaa);
  const measured_boot::ima::FileDigest digest{measured_boot::ima::FileDigest::Kind::kFile, "sha256", bytes};
  const AllowList& files = read->ima->policy.files;
  const auto until = files.end_of(digest);
  ASSERT_TRUE(until);
  EXPECT_EQ(to_rfc3339(*until), "2026-12-15T00:00:00.000000Z");
  EXPECT_EQ(files.judge("/usr/bin/true", digest, *until - std::chrono::microseconds(1)), AllowList::Verdict::kAllowed);
  EXPECT_EQ(files.judge("/usr/bin/true", digest, *until), AllowList::Verdict::kRetired);
}

// `a` for ever, and windows that say something else of it, or nothing.
std::string retiring(const std::string& windows) {
  return policy(R"("ima":{"files":[{"path":"/a","digests":["sha256:)" + std::string(64, 'a') + R"("]}],"retiring":)" +
                windows + "}");
}
std::string window(const std::string& until, char digest) {
  return R"({"until":")" + until + R"(","files":[{"path":"/b","digests":["sha256:)" + std::string(64, digest) +
         R"("]}]})";
}

TEST(EvidencePolicy, ADigestThatIsGoodForEverOrUntilAnotherTimeHasNoWindow) {
  const std::string until = "2026-12-15T00:00:00Z";
  const std::string later = "2026-12-16T00:00:00Z";
  EXPECT_TRUE(parse_evidence_policy(retiring("[" + window(until, 'b') + "," + window(later, 'c') + "]")));
  const std::tuple<std::string, std::string_view, std::string_view> rows[] = {
      {"[" + window(until, 'a') + "]", "ima.policy.retiring", "ima.retiring[0].files[0].digests"},
      {"[" + window(until, 'b') + "," + window(later, 'b') + "]", "ima.policy.retiring",
       "ima.retiring[1].files[0].digests"},
      {"[" + window("2026-12-15", 'b') + "]", "ima.policy.until", "ima.retiring[0].until"},
      {"[" + window(until, 'x') + "]", "ima.policy.digest", "ima.retiring[0].files[0].digests"},
      {R"([{"until":"2026-12-15T00:00:00Z"}])", "json.missing", "ima.retiring[0].files"},
      {R"([{"files":[]}])", "json.missing", "ima.retiring[0].until"},
      {R"([{"until":"2026-12-15T00:00:00Z","files":[],"name":""}])", "json.unknown-field", "ima.retiring[0].name"},
      {"[1]", "json.type", "ima.retiring[0]"},
      {"{}", "json.type", "ima.retiring"},
  };
  for (const auto& [windows, code, where] : rows) {
    const auto read = parse_evidence_policy(retiring(windows));
    ASSERT_FALSE(read) << windows;
    EXPECT_EQ(read.error().code, code) << windows;
    EXPECT_EQ(read.error().where, where) << windows;
  }
}

TEST(EvidencePolicy, WhatIsUnclearIsRefused) {
  const std::pair<std::string, std::string_view> rows[] = {
      {R"({"format":"warifu.evidence-policy.v2"})", "policy.format"},
      {R"({"registers":{}})", "json.missing"},
      {policy(R"("register":{})"), "json.unknown-field"},
      {policy(R"("registers":{"md5":[0]})"), "policy.register"},
      {policy(R"("registers":{"sha256":[24]})"), "policy.register"},
      {policy(R"("registers":{"sha256":[-1]})"), "policy.register"},
      {policy(R"("registers":{"sha256":["0"]})"), "policy.register"},
      {policy(R"("boot":{"claims":["secure-bot"]})"), "policy.claim"},
      {policy(R"("boot":{"claims":[1]})"), "policy.claim"},
      {policy(R"("boot":{"events":[{"name":"x","pcr":4}]})"), "policy.event"},
      {policy(R"("boot":{"events":[{"name":"x","pcr":4,"text":"a","sha256":")" + std::string(64, 'a') + R"("}]})"),
       "policy.event"},
      {policy(R"("boot":{"events":[{"name":"x","pcr":4,"sha256":"aa"}]})"), "policy.event"},
      {policy(R"("boot":{"events":[{"name":"x","pcr":24,"text":"a"}]})"), "policy.register"},
      {policy(R"("ima":{"files":[{"path":"/x","digests":["sha256:aa"]}]})"), "ima.policy.digest"},
      {policy(R"("ima":{"files":[{"path":"/x","digests":[]}]})"), "ima.policy.digest"},
      {policy(R"("ima":{"withdrawn":["nothing"]})"), "ima.policy.digest"},
      {policy(R"("ima":{"excludes":["*"]})"), "ima.policy.exclude"},
      {policy(R"("ima":{"violations":"maybe"})"), "ima.policy.choice"},
      {policy(R"("ima":{"signatures":"require"})"), "ima.policy.key"},
      {policy(R"("ima":{"keys":["x"]})"), "ima.policy.key"},
      {policy(R"("ima":{"registers":[0]})"), "ima.policy.register"},
      {policy(R"("ima":{"exclude":["/var/"]})"), "json.unknown-field"},
  };
  for (const auto& [text, code] : rows) {
    const auto read = parse_evidence_policy(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, code) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalidInput) << text;
  }
}

TEST(EvidencePolicy, RegistersAreListsAndRanges) {
  const auto places = parse_register_places("sha256:0-2,7");
  ASSERT_TRUE(places);
  const std::vector<RegisterPlace> wanted = {{HashAlgorithm::kSha256, 0},
                                             {HashAlgorithm::kSha256, 1},
                                             {HashAlgorithm::kSha256, 2},
                                             {HashAlgorithm::kSha256, 7}};
  EXPECT_EQ(*places, wanted);
  for (const char* wrong : {"", "sha256", "sha256:", "md5:0", "sha256:24", "sha256:2-1", "sha256:0,", "sha256:-1",
                            "sha256:0-", "sha256: 1", "sha256:1x"})
    EXPECT_FALSE(parse_register_places(wrong)) << wrong;
}

TEST(EvidencePolicy, ReadsWhatATpmAndAMachineMustBe) {
  const auto read = parse_evidence_policy(
      policy(R"("hardware":{"flaws":"fail","unknown_flaws":"warn","accepted_flaws":["CVE-2019-16863"],)"
             R"("classes":["discrete","firmware"],"manufacturers":["STM","id:49465800"],"ek_certificate":"required"},)"
             R"("machine":{"manufacturer":"Acme","product":"Box","firmware_version":"1.2"})"));
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_NE(read->hardware_policy(), nullptr);
  EXPECT_EQ(read->hardware->flaws, FlawWeight::kFail);
  EXPECT_EQ(read->hardware->unknown_flaws, FlawWeight::kWarn);
  EXPECT_TRUE(read->hardware->accepts("CVE-2019-16863"));
  EXPECT_FALSE(read->hardware->accepts("CVE-2019-1686"));
  EXPECT_EQ(read->hardware->classes.size(), 2u);
  EXPECT_EQ(read->hardware->manufacturers.back().text(), "IFX");
  EXPECT_TRUE(read->hardware->requires_certificate);
  EXPECT_TRUE(read->hardware->demands_something());
  ASSERT_TRUE(read->machine);
  EXPECT_EQ(read->machine->firmware_version, "1.2");
  const auto little = parse_evidence_policy(policy(R"("hardware":{"flaws":"ignore"})"));
  EXPECT_FALSE(little->hardware->demands_something());
}

TEST(EvidencePolicy, RefusesHardwareThatNoTpmCanBe) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("hardware":{"flaws":"maybe"})", "policy.hardware"},
      {R"("hardware":{"unknown_flaws":"Fail"})", "policy.hardware"},
      {R"("hardware":{"flaws":1})", "json.type"},
      {R"("hardware":{"classes":[]})", "policy.hardware"},
      {R"("hardware":{"classes":["unknown"]})", "policy.hardware"},
      {R"("hardware":{"classes":[7]})", "policy.hardware"},
      {R"("hardware":{"manufacturers":["ZZZZ"]})", "policy.hardware"},
      {R"("hardware":{"manufacturers":["Infineon"]})", "policy.hardware"},
      {R"("hardware":{"accepted_flaws":[""]})", "policy.hardware"},
      {R"("hardware":{"ek_certificate":"yes"})", "policy.hardware"},
      {R"("hardware":{"flaw":"fail"})", "json.unknown-field"},
      {R"("hardware":[])", "json.type"},
      {R"("machine":{"manufacturer":"Acme"})", "json.missing"},
      {R"("machine":{"manufacturer":"Acme","product":""})", "policy.machine"},
      {R"("machine":{"manufacturer":"Acme","product":"Box","version":"1"})", "json.unknown-field"},
  };
  for (const auto& [members, code] : rows) {
    const auto read = parse_evidence_policy(policy(members));
    ASSERT_FALSE(read) << members;
    EXPECT_EQ(read.error().code, code) << members;
  }
}
}  // namespace
}  // namespace warifu::attestation

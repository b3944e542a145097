#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/body_limits.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using test::member;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const std::string kPolicies = "/api/v1/attestation-policies";

std::string policy(const std::string& more = {}, const std::string& claims = R"(["secure-boot"])") {
  return fmt::format(R"({{"policy":{{"format":"warifu.evidence-policy.v1","boot":{{"claims":{}}}}}{}}})", claims, more);
}
std::string code_of(const net::HttpResponse& answer) {
  return answer.status < 300 ? fmt::format("{}", answer.status) : member(answer, "code");
}
std::string etag(const net::HttpResponse& answer) {
  for (const auto& [name, value] : answer.headers)
    if (name == "ETag") return value;
  return "none";
}

class PolicyApiTest : public ::testing::Test {
 protected:
  net::HttpResponse put(const std::string& target, const std::string& body, net::Headers headers = {}) {
    return operator_.put(kPolicies + target, body, std::move(headers));
  }

  World world_;
  const test::Operator operator_{world_.server};
};

TEST_F(PolicyApiTest, KeepsOnePolicyForEachTarget) {
  EXPECT_EQ(code_of(put("/default", policy())), "201");
  EXPECT_EQ(code_of(put("/groups/meters", policy(R"(,"mode":"review")"))), "201");
  EXPECT_EQ(code_of(put("/enrollments/meter-1", policy())), "201");
  const auto shown = operator_.get(kPolicies + "/groups/meters");
  EXPECT_EQ(member(shown, "target"), "group/meters");
  EXPECT_EQ(member(shown, "mode"), "review");
  EXPECT_THAT(shown.body, HasSubstr(R"("claims":["secure-boot"])"));
  const auto listed = operator_.get(kPolicies).body;
  for (const std::string target : {"default", "enrollment/meter-1", "group/meters"})
    EXPECT_THAT(listed, HasSubstr(fmt::format(R"("target":"{}")", target)));
  EXPECT_THAT(listed, Not(HasSubstr("secure-boot"))) << "a list has no documents";
  EXPECT_EQ(operator_.remove(kPolicies + "/groups/meters").status, 204);
  EXPECT_EQ(code_of(operator_.get(kPolicies + "/groups/meters")), "policy.unknown");
  EXPECT_EQ(code_of(operator_.remove(kPolicies + "/groups/meters")), "policy.unknown");
  EXPECT_EQ(code_of(operator_.get(kPolicies + "/default")), "200");
}

TEST_F(PolicyApiTest, PagesItsList) {
  for (const std::string id : {"a", "b", "c"})
    ASSERT_EQ(put("/groups/" + id, policy()).status, 201);
  const auto first = operator_.get(kPolicies + "?limit=2");
  EXPECT_EQ(member(first, "next"), "group/b");
  const auto second = operator_.get(kPolicies + "?limit=2&after=group%2Fb");
  EXPECT_THAT(second.body, HasSubstr("group/c"));
  EXPECT_THAT(second.body, Not(HasSubstr("group/a")));
  EXPECT_EQ(member(second, "next"), "null");
}

TEST_F(PolicyApiTest, ChangesOnlyTheRevisionThatWasLookedAt) {
  const auto created = put("/default", policy());
  EXPECT_EQ(member(put("/default", policy()), "outcome"), "unchanged");
  const auto changed = put("/default", policy({}, R"(["kernel"])"), {{"If-Match", etag(created)}});
  EXPECT_EQ(member(changed, "outcome"), "updated");
  EXPECT_NE(etag(changed), etag(created));
  EXPECT_EQ(code_of(put("/default", policy(), {{"If-Match", etag(created)}})), "policy.revision");
  EXPECT_EQ(code_of(operator_.remove(kPolicies + "/default", {{"If-Match", etag(created)}})), "policy.revision");
  EXPECT_EQ(code_of(put("/groups/new", policy(), {{"If-Match", etag(created)}})), "policy.revision");
  EXPECT_THAT(operator_.get(kPolicies + "/default").body, HasSubstr("kernel"));
}

TEST_F(PolicyApiTest, ADryRunChangesNothing) {
  const auto before = world_.stored();
  EXPECT_EQ(member(operator_.put(kPolicies + "/default?dry_run=true", policy()), "outcome"), "created");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(code_of(operator_.get(kPolicies + "/default")), "policy.unknown");
}

TEST_F(PolicyApiTest, RefusesWhatIsNoPolicyAndSaysWhere) {
  const auto before = world_.stored();
  const std::pair<std::string, std::string> bodies[] = {
      {"", "json.syntax"},
      {"[]", "json.type"},
      {"{}", "json.missing"},
      {R"({"policy":{"format":"warifu.evidence-policy.v2"}})", "policy.format"},
      {policy(R"(,"mode":"sometimes")"), "policy.mode"},
      {policy(R"(,"more":1)"), "json.unknown-field"},
      {policy({}, R"(["no-such-claim"])"), "policy.claim"},
  };
  for (const auto& [body, expected] : bodies)
    EXPECT_EQ(code_of(put("/default", body)), expected) << body;
  EXPECT_THAT(put("/default", policy({}, R"(["no-such-claim"])")).body, HasSubstr("policy, boot.claims"));
  EXPECT_EQ(code_of(put("/groups/-", policy())), "id.group");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(PolicyApiTest, TakesAListOfManyFilesAndNoMore) {
  std::string files;
  for (int i = 0; i < 20'000; ++i)
    files += fmt::format(R"({}{{"path":"/usr/lib/file-{}","digests":["sha256:{:064x}"]}})", i == 0 ? "" : ",", i, i);
  const auto body =
      fmt::format(R"({{"policy":{{"format":"warifu.evidence-policy.v1","ima":{{"files":[{}]}}}}}})", files);
  ASSERT_GT(body.size(), kBulkBodySizeMax);
  EXPECT_EQ(code_of(put("/default", body)), "201");
  EXPECT_EQ(code_of(put("/default", std::string(kPolicyBodySizeMax + 1, ' '))), "http.body_too_large");
}

TEST_F(PolicyApiTest, IsForWhoMayReadOrWritePolicies) {
  const test::Operator reader(world_.server, operators::Permissions::parse({"policy:read"}).value());
  const test::Operator other(world_.server, operators::Permissions::parse({"attestation:read"}).value());
  ASSERT_EQ(put("/default", policy()).status, 201);
  EXPECT_EQ(reader.get(kPolicies + "/default").status, 200);
  EXPECT_EQ(reader.put(kPolicies + "/default", policy()).status, 403);
  EXPECT_EQ(reader.remove(kPolicies + "/default").status, 403);
  EXPECT_EQ(other.get(kPolicies).status, 403);
}

TEST_F(PolicyApiTest, IsOfOneScope) {
  const auto elsewhere = ScopeId::parse("0ne0000000f").value();
  test::must(world_.server.make_scope(elsewhere));
  const test::Operator stranger(world_.server, operators::Permissions::all(), elsewhere);
  ASSERT_EQ(put("/default", policy()).status, 201);
  EXPECT_EQ(code_of(stranger.get(kPolicies + "/default")), "policy.unknown");
  EXPECT_EQ(code_of(stranger.remove(kPolicies + "/default")), "policy.unknown");
  EXPECT_EQ(code_of(stranger.put(kPolicies + "/default", policy({}, R"(["kernel"])"))), "201");
  EXPECT_THAT(operator_.get(kPolicies + "/default").body, HasSubstr("secure-boot"));
}

}  // namespace
}  // namespace warifu::front::api

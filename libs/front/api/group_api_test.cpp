#include "front/api/group_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

const std::string kGroups = "/api/v1/enrollment-groups";
const std::string kPlant = kGroups + "/plant";

class GroupApiTest : public ::testing::Test {
 protected:
  void make_plant() { ASSERT_EQ(operator_.post(kGroups, test::tpm_group("plant", "pump-*")).status, 201); }

  World world_;
  const test::Operator operator_{world_.server};
};

TEST_F(GroupApiTest, MakesAGroupAndShowsIt) {
  const auto created = operator_.post(kGroups, test::tpm_group("Plant", "pump-*", R"(,"hubs":["hub-a.example"])"));
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(net::find_header(created.headers, "Location"), kPlant);
  EXPECT_EQ(net::find_header(created.headers, "ETag"), fmt::format("\"{}\"", member(created, "etag")));
  const auto shown = operator_.get(kPlant);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body, created.body);
  EXPECT_EQ(net::find_header(shown.headers, "ETag"), net::find_header(created.headers, "ETag"));
  EXPECT_EQ(member(shown, "group_id"), "plant");
  EXPECT_EQ(member(shown, "attestation.tpm.naming"), "pump-*");
  EXPECT_EQ(member(shown, "hubs"), R"(["hub-a.example"])");
  EXPECT_EQ(member(operator_.post(kGroups, test::tpm_group("plant", "{ek}")), "code"), "group.exists");
}

TEST_F(GroupApiTest, DeclaresAGroupAndSaysWhatThatChanges) {
  const auto created = operator_.put(kPlant, test::tpm_group("plant", "pump-*"));
  EXPECT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(member(created, "outcome"), "created");
  const std::string etag(net::find_header(created.headers, "ETag").value());

  const auto unchanged = operator_.put(kPlant, test::tpm_group("plant", "pump-*"));
  EXPECT_EQ(unchanged.status, 200);
  EXPECT_EQ(member(unchanged, "outcome"), "unchanged");
  EXPECT_EQ(net::find_header(unchanged.headers, "ETag"), etag);

  const auto updated = operator_.put(kPlant, test::tpm_group("plant", "fan-*"), {{"If-Match", etag}});
  EXPECT_EQ(updated.status, 200);
  EXPECT_EQ(member(updated, "outcome"), "updated");
  EXPECT_EQ(member(updated, "changes"), R"([{"field":"attestation.naming","from":"pump-*","to":"fan-*"}])");

  const auto late = operator_.put(kPlant, test::tpm_group("plant", "fan-?"), {{"If-Match", etag}});
  EXPECT_EQ(late.status, 400);
  EXPECT_EQ(member(operator_.put(kPlant, test::tpm_group("plant", "saw-*"), {{"If-Match", etag}}), "code"),
            "group.revision");
  EXPECT_EQ(member(operator_.remove(kPlant, {{"If-Match", etag}}), "code"), "group.revision");
  EXPECT_EQ(member(operator_.get(kPlant), "attestation.tpm.naming"), "fan-*");
}

TEST_F(GroupApiTest, ADryRunSaysTheSameAndLeavesNothing) {
  make_plant();
  const auto before = world_.stored();
  const auto would = operator_.put(kPlant + "?dry_run=true", test::tpm_group("plant", "fan-*"));
  EXPECT_EQ(would.status, 200);
  EXPECT_EQ(member(would, "outcome"), "updated");
  EXPECT_EQ(member(would, "attestation.tpm.naming"), "fan-*");
  const auto would_create = operator_.put(kGroups + "/fans?dry_run=true", test::tpm_group("fans", "fan-*"));
  EXPECT_EQ(would_create.status, 200);
  EXPECT_EQ(member(would_create, "outcome"), "created");
  EXPECT_FALSE(net::find_header(would_create.headers, "Location"));
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(operator_.put(kPlant + "?dry_run=false", test::tpm_group("plant", "fan-*")).status, 200);
  EXPECT_NE(world_.stored(), before);
}

TEST_F(GroupApiTest, ListsTheGroupsInPages) {
  for (const std::string id : {"a", "b", "c"})
    ASSERT_EQ(operator_.post(kGroups, test::key_group(id)).status, 201);
  const auto first = operator_.get(kGroups + "?limit=2");
  EXPECT_EQ(member(first, "next"), "b");
  const auto last = operator_.get(kGroups + "?limit=2&after=b");
  EXPECT_EQ(member(last, "next"), "null");
  EXPECT_THAT(last.body, HasSubstr(R"("group_id":"c")"));
  EXPECT_THAT(last.body, Not(HasSubstr(R"("group_id":"b")")));
}

TEST_F(GroupApiTest, ShowsTheKeysOfAGroupAndWritesThatDown) {
  ASSERT_EQ(operator_.post(kGroups, test::key_group("plant")).status, 201);
  const auto keys = operator_.get(kPlant + "/keys");
  EXPECT_EQ(keys.status, 200);
  EXPECT_EQ(member(keys, "group_id"), "plant");
  EXPECT_EQ(from_base64(member(keys, "primary_key")).value().size(), 32u);
  EXPECT_NE(member(keys, "primary_key"), member(keys, "secondary_key"));
  EXPECT_THAT(world_.stored(), ContainsRegex("enrollment-keys.read enrollment-group:plant"));
  EXPECT_THAT(operator_.get(kPlant).body, Not(HasSubstr(member(keys, "primary_key"))));
  EXPECT_EQ(operator_.ask(net::Method::kHead, kPlant + "/keys").status, 405);
}

TEST_F(GroupApiTest, TheDevicesWhoseEksAreListedComeAndNoOthers) {
  make_plant();
  auto pump = world_.device(world_.tpm_b, "pump-1");
  EXPECT_FALSE(pump.provision());

  const auto added = operator_.post(kPlant + "/eks", test::ek_list({&world_.tpm_b.ek(), &world_.tpm_a.ek()}));
  ASSERT_EQ(added.status, 200) << added.body;
  const std::string name = world_.tpm_b.ek().name().text();
  EXPECT_THAT(member(added, "results"), HasSubstr(fmt::format(R"([{{"ek_name":"{}","outcome":"added"}})", name)));
  EXPECT_THAT(member(operator_.post(kPlant + "/eks", test::ek_list({&world_.tpm_b.ek()})), "results"),
              HasSubstr("unchanged"));
  ASSERT_TRUE(pump.provision());
  EXPECT_FALSE(world_.device(world_.tpm_a, "fan-1").provision());

  const auto devices = operator_.get(kPlant + "/devices");
  EXPECT_THAT(member(devices, "items"), HasSubstr(R"("device_id":"pump-1")"));
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "group_id"), "plant");
  EXPECT_THAT(member(operator_.get(kPlant + "/eks"), "items"), HasSubstr(R"("registration_id":"pump-1")"));

  EXPECT_EQ(operator_.remove(kPlant + "/eks/" + name).status, 204);
  EXPECT_EQ(member(operator_.remove(kPlant + "/eks/" + name), "code"), "group.ek_unknown");
  EXPECT_FALSE(pump.provision());
  EXPECT_EQ(operator_.remove(kPlant).status, 204);
  EXPECT_EQ(operator_.remove(kPlant).status, 404);
}

TEST_F(GroupApiTest, ListsEksInPagesAndNoneOfAnEarlierGroup) {
  make_plant();
  ASSERT_EQ(operator_.post(kPlant + "/eks", test::ek_list({&world_.tpm_a.ek(), &world_.tpm_b.ek()})).status, 200);
  const auto first = operator_.get(kPlant + "/eks?limit=1");
  const auto next = member(first, "next");
  const auto last = operator_.get(kPlant + "/eks?limit=1&after=" + next);
  EXPECT_EQ(member(last, "next"), "null");
  for (const auto* ek : {&world_.tpm_a.ek(), &world_.tpm_b.ek()})
    EXPECT_THAT(first.body + last.body, HasSubstr(fmt::format(R"("ek_name":"{}")", ek->name().text())));

  ASSERT_EQ(operator_.remove(kPlant).status, 204);
  make_plant();
  EXPECT_EQ(member(operator_.get(kPlant + "/eks"), "items"), "[]");
  EXPECT_EQ(member(operator_.remove(kPlant + "/eks/" + next), "code"), "group.ek_unknown");
}

TEST_F(GroupApiTest, RefusesWithTheFieldAndChangesNothing) {
  make_plant();
  ASSERT_EQ(operator_.post(kGroups, test::key_group("keys")).status, 201);
  const auto before = world_.stored();
  const std::string ek = to_base64(world_.tpm_b.ek().tpm2b());
  using enum net::Method;
  const struct {
    std::string what;
    net::Method method;
    std::string target, body;
    int status;
    std::string code, names;
  } rows[] = {
      {"no group ID", kPost, kGroups, R"({"attestation":{"type":"tpm"}})", 400, "json.missing", "group_id"},
      {"a bad group ID", kPost, kGroups, test::key_group("a b"), 400, "id.group", "group_id"},
      {"a bad naming", kPost, kGroups, test::tpm_group("g", "{nothing}"), 400, "enrollment.naming",
       "attestation.tpm.naming"},
      {"an unknown type", kPost, kGroups, R"({"group_id":"g","attestation":{"type":"magic"}})", 400,
       "enrollment.attestation", "attestation.type"},
      {"a certificate that is none", kPost, kGroups,
       R"({"group_id":"g","attestation":{"type":"x509","x509":{"primary":"AAAA"}}})", 400, "enrollment.certificate",
       "attestation.x509.primary"},
      {"a registration ID", kPost, kGroups, test::key_group("g", R"(,"registration_id":"x")"), 400,
       "json.unknown-field", "registration_id"},
      {"a device ID", kPost, kGroups, test::key_group("g", R"(,"device_id":"x")"), 400, "json.unknown-field",
       "device_id"},
      {"a hub that is no host", kPost, kGroups, test::key_group("g", R"(,"hubs":["a b"])"), 400, "enrollment.hub",
       "hub"},
      {"another ID than the path's", kPut, kPlant, test::tpm_group("fans", "*"), 400, "request.group_id", "group_id"},
      {"half a dry run", kPut, kPlant + "?dry_run=maybe", test::tpm_group("plant", "*"), 400, "request.dry_run",
       "dry_run"},
      {"a revision that is none", kPut, kPlant + "?dry_run=true", "", 400, "json.syntax", ""},
      {"no list", kPost, kPlant + "/eks", "{}", 400, "json.missing", "eks"},
      {"an empty list", kPost, kPlant + "/eks", R"({"eks":[]})", 400, "group.eks", "eks"},
      {"no text", kPost, kPlant + "/eks", fmt::format(R"({{"eks":["{}",7]}})", ek), 400, "json.type", "eks.1"},
      {"no base64", kPost, kPlant + "/eks", fmt::format(R"({{"eks":["{}","%"]}})", ek), 400, "text.base64", "eks.1"},
      {"one that is no EK", kPost, kPlant + "/eks", fmt::format(R"({{"eks":["{}","AAAA"]}})", ek), 400, "wire.",
       "eks.1"},
      {"EKs of a group with keys", kPost, kGroups + "/keys/eks", test::ek_list({&world_.tpm_b.ek()}), 403,
       "group.no_eks", ""},
      {"keys of a group with EKs", kGet, kPlant + "/keys", "", 403, "group.no_keys", ""},
      {"no Name", kDelete, kPlant + "/eks/000b", "", 400, "tpm.name", "ek_name"},
      {"no hexadecimal", kDelete, kPlant + "/eks/xyz", "", 400, "tpm.name", "ek_name"},
      {"EKs after nothing", kGet, kPlant + "/eks?after=x", "", 400, "request.after", "after"},
      {"devices after nothing", kGet, kPlant + "/devices?after=", "", 400, "request.after", "after"},
      {"a page of none", kGet, kPlant + "/eks?limit=0", "", 400, "request.limit", "limit"},
      {"not there", kGet, kGroups + "/none", "", 404, "group.unknown", ""},
      {"not there", kDelete, kGroups + "/none", "", 404, "group.unknown", ""},
      {"not there", kGet, kGroups + "/none/keys", "", 404, "group.unknown", ""},
      {"not there", kGet, kGroups + "/none/eks", "", 404, "group.unknown", ""},
      {"not there", kGet, kGroups + "/none/devices", "", 404, "group.unknown", ""},
      {"not there", kPost, kGroups + "/none/eks", test::ek_list({&world_.tpm_b.ek()}), 404, "group.unknown", ""},
  };
  for (const auto& row : rows) {
    const auto answer = operator_.ask(row.method, row.target, row.body);
    EXPECT_EQ(answer.status, row.status) << row.what << answer.body;
    EXPECT_THAT(member(answer, "code"), StartsWith(row.code)) << row.what << answer.body;
    EXPECT_THAT(member(answer, "detail"), HasSubstr(row.names)) << row.what;
  }
  EXPECT_EQ(world_.stored(), before);
}

}  // namespace
}  // namespace warifu::front::api

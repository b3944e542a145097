#include "declarations/declaration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "declarations/writer.h"
#include "declarations/yaml_reader.h"

namespace warifu::declarations {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::string> read_test_file(const std::string& path) {
  if (path == "ek.pub") return std::string("\x00\x02\x61\x62", 4);
  if (path == "eks.txt") return std::string("# two\nQUJD\n\n  REVG\r\n");
  if (path == "leaf.pem") return std::string("-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n");
  if (path == "key") return std::string("QUJDREVGR0hJSktMTU5PUA==\n");
  return invalid_input("test.absent", "it is not there", path);
}

Result<std::vector<Declaration>> read(std::string_view yaml) {
  return read_declarations(yaml, "a.yaml", read_test_file);
}

std::string enrollment(std::string_view spec) {
  return fmt::format("apiVersion: warifu/v1\nkind: Enrollment\nmetadata:\n  name: meter-1\nspec:\n{}", spec);
}

constexpr std::string_view kAttestation = "  attestation: {type: symmetric-key}\n";

struct Refused {
  std::string_view code;
  std::string where;
};
Refused refused(const Result<std::vector<Declaration>>& read) {
  return read ? Refused{"accepted", ""} : Refused{read.error().code, read.error().where};
}
void expect_refused(std::string_view yaml, std::string_view code, std::string_view where) {
  const auto got = refused(read(yaml));
  EXPECT_EQ(got.code, code) << yaml;
  EXPECT_EQ(got.where, where) << yaml;
}

TEST(Declarations, EveryMemberOfAnEnrollmentArrives) {
  const auto all = read(enrollment(R"(  attestation:
    type: tpm
    tpm: {endorsement_key_file: ek.pub}
  device_id: 1e3
  enabled: false
  reprovision: never
  allocation: static
  hubs: [hub.example.com]
  approve_srk_changes: true
  required_attestation: affirming
  attestation_interval_seconds: 600
  allow_software_keys: true
  iot_edge: true
  initial_twin: {properties: {desired: {interval: 60, rate: 1.5, unit: "7", tag: no, none: ~, on: true}}}
)"));
  ASSERT_TRUE(all) << to_string(all.error());
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().id, "meter-1");
  EXPECT_EQ(to_string(all->front().place), "a.yaml:4:9");
  EXPECT_EQ(
      boost::json::serialize(all->front().request),
      R"({"registration_id":"meter-1","attestation":{"type":"tpm","tpm":{"endorsement_key":"AAJhYg=="}},)"
      R"("device_id":"1e3","enabled":false,"reprovision":"never","allocation":"static","hubs":["hub.example.com"],)"
      R"("approve_srk_changes":true,"required_attestation":"affirming","attestation_interval_seconds":600,)"
      R"("allow_software_keys":true,"iot_edge":true,"initial_twin":{"properties":)"
      R"({"desired":{"interval":60,"rate":1.5E0,"unit":"7","tag":"no","none":null,"on":true}}}})");
}

TEST(Declarations, FilesStandForKeysCertificatesAndEks) {
  const auto all = read(R"(apiVersion: warifu/v1
kind: EnrollmentList
spec:
  enrollments:
    - {registration_id: a, attestation: {type: x509, x509: {primary: {certificate_file: leaf.pem}}}}
    - {registration_id: B, attestation: {type: symmetric-key, symmetric_key: {primary_key_file: key}}}
---
apiVersion: warifu/v1
kind: EnrollmentGroup
metadata: {name: meters}
spec: {attestation: {type: tpm, tpm: {naming: "m-{ek}"}}, eks: [QUI=], eks_file: eks.txt}
)");
  ASSERT_TRUE(all) << to_string(all.error());
  ASSERT_EQ(all->size(), 3U);
  EXPECT_THAT(boost::json::serialize((*all)[0].request), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(boost::json::serialize((*all)[1].request), HasSubstr(R"("primary_key":"QUJDREVGR0hJSktMTU5PUA==")"));
  EXPECT_EQ((*all)[1].id, "b");
  EXPECT_EQ((*all)[2].kind, Declaration::Kind::kGroup);
  EXPECT_THAT((*all)[2].eks, ElementsAre("QUI=", "QUJD", "REVG"));
}

TEST(Declarations, AGroupNamesAuthoritiesForEks) {
  const std::string head = "apiVersion: warifu/v1\nkind: EnrollmentGroup\nmetadata: {name: plant}\nspec:\n";
  const auto all = read(head + R"(  attestation:
    type: tpm
    tpm: {naming: "m-{ek}", ek_authorities: [aa, bb], approve_uncertified: true}
)");
  ASSERT_TRUE(all) << to_string(all.error());
  const std::string request = boost::json::serialize((*all)[0].request);
  EXPECT_THAT(request, HasSubstr(R"("ek_authorities":["aa","bb"])"));
  EXPECT_THAT(request, HasSubstr(R"("approve_uncertified":true)"));
  // What is written down reads as the same.
  const auto again = read(to_yaml((*all)[0]));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(boost::json::serialize((*again)[0].request), request);
  expect_refused(head + "  attestation: {type: tpm, tpm: {ek_authorities: aa}}\n", "declaration.type", "a.yaml:5:50");
  expect_refused(head + "  attestation: {type: tpm, tpm: {approve_uncertified: maybe}}\n", "declaration.type",
                 "a.yaml:5:55");
  expect_refused(head + "  attestation: {type: tpm, tpm: {ek_authorities: [aa]}}\n  eks: [QUI=]\n", "declaration.type",
                 "a.yaml:5:16");
}

TEST(Declarations, WhatIsWrongNamesItsPlace) {
  expect_refused(enrollment("  attestation: {type: symmetric-key}\n  enabeld: true\n"), "declaration.unknown_member",
                 "a.yaml:7:3");
  expect_refused(enrollment("  attestation: {type: symmetric-key}\n  enabled: yes\n"), "declaration.type",
                 "a.yaml:7:12");
  expect_refused(enrollment("  attestation: {type: symmetric-key}\n  enabled: \"true\"\n"), "declaration.type",
                 "a.yaml:7:12");
  expect_refused(enrollment("  attestation: {type: symmetric-key}\n  hubs: one\n"), "declaration.type", "a.yaml:7:9");
  for (const char* interval : {"ten", "-1", "1.5", "0x10", "\"60\"", "[60]", "99999999999999999999"})
    expect_refused(enrollment(fmt::format("{}  attestation_interval_seconds: {}\n", kAttestation, interval)),
                   "declaration.type", "a.yaml:7:33");
  expect_refused(enrollment("  attestation: {type: tpm}\n"), "declaration.missing", "a.yaml:6:16");
  expect_refused(enrollment("  attestation: {type: sgx}\n"), "declaration.type", "a.yaml:6:23");
  expect_refused(enrollment("  attestation: {type: tpm, x509: {}}\n"), "declaration.unknown_member", "a.yaml:6:28");
  expect_refused(enrollment("  attestation: {type: tpm, tpm: {endorsement_key_file: none}}\n"), "declaration.file",
                 "a.yaml:6:56");
  expect_refused(enrollment("  attestation: {type: tpm, tpm: {endorsement_key: QQ==, endorsement_key_file: ek.pub}}\n"),
                 "declaration.twice", "a.yaml:6:79");
  expect_refused(enrollment("  registration_id: other\n  attestation: {type: symmetric-key}\n"),
                 "declaration.unknown_member", "a.yaml:6:3");
  expect_refused("apiVersion: warifu/v2\nkind: Enrollment\nspec: {}\n", "declaration.kind", "a.yaml:1:13");
  expect_refused("apiVersion: warifu/v1\nkind: Pod\nspec: {}\n", "declaration.kind", "a.yaml:2:7");
  expect_refused("apiVersion: warifu/v1\nkind: Enrollment\nmetadata: {name: \"-\"}\nspec: {attestation: 1}\n",
                 "declaration.id", "a.yaml:3:18");
  expect_refused("[]\n", "declaration.type", "a.yaml:1:1");
}

TEST(Yaml, WhatJsonDoesNotHaveIsRefused) {
  expect_refused("a: &x 1\nb: *x\n", "yaml.anchor", "a.yaml:1:4");
  expect_refused("a: [*x]\n", "yaml.syntax", "a.yaml:1:5");
  expect_refused("a: !!binary QQ==\n", "yaml.tag", "a.yaml:1:4");
  expect_refused("a: !x {}\n", "yaml.tag", "a.yaml:1:4");
  expect_refused("a: 1\nb:\n  c: 1\n  c: 2\n", "yaml.duplicate_key", "a.yaml:4:3");
  expect_refused("<<: {}\n", "yaml.key", "a.yaml:1:1");
  expect_refused("[a]: 1\n", "yaml.key", "a.yaml:1:1");
  expect_refused("a: [1\n", "yaml.syntax", "a.yaml:2:1");
  expect_refused(", a: 1\n", "yaml.syntax", "a.yaml:1:1");
  expect_refused("a: 1\nb: \xC3\x28\n", "yaml.encoding", "a.yaml:2");
  expect_refused(std::string_view("a\0b", 3), "yaml.encoding", "a.yaml:1");
  expect_refused(std::string(40, '[') + std::string(40, ']'), "yaml.too_deep", "a.yaml:1:33");
}

TEST(Yaml, LimitsHold) {
  EXPECT_EQ(read_yaml("a: b\n", "x", {.max_bytes = 4}).error().code, "yaml.too_large");
  EXPECT_TRUE(read_yaml("[a, b]\n", "x", {.max_nodes = 3}));
  EXPECT_EQ(read_yaml("[a, b, c]\n", "x", {.max_nodes = 3}).error().code, "yaml.too_large");
  // A stack that is not ours to fill.
  EXPECT_FALSE(read_yaml(std::string(100'000, '['), "x"));
  EXPECT_FALSE(read_yaml(std::string(100'000, '{'), "x"));
}

TEST(JsonLines, AreWhatTheApiTakes) {
  const auto one = read_json_line(R"({"registration_id":"M1","attestation":{"type":"symmetric-key"},"enabled":false})",
                                  "f.jsonl", 7);
  ASSERT_TRUE(one) << to_string(one.error());
  EXPECT_EQ(one->id, "m1");
  EXPECT_EQ(to_string(one->place), "f.jsonl:7");
  EXPECT_EQ(read_json_line(R"({"group_id":"g","eks":["QQ=="]})", "f", 1)->kind, Declaration::Kind::kGroupEks);
  EXPECT_EQ(read_json_line(R"({"group_id":"g","attestation":{"type":"tpm"}})", "f", 1)->kind,
            Declaration::Kind::kGroup);
}

TEST(JsonLines, WhatIsWrongNamesItsLine) {
  for (const auto& [line, code] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"registration_id":"a","registration_id":"b"})", "json.duplicate-key"},
           {R"({"registration_id":"a","attestation":{"type":"symmetric-key"},"enabled":"true"})", "declaration.type"},
           {R"({"registration_id":"a","attestation":{"type":"tpm","tpm":{"endorsement_key_file":"/etc/passwd"}}})",
            "declaration.file"},
           {R"({"registration_id":"a"})", "declaration.missing"},
           {R"([1])", "declaration.type"},
           {R"({"registration_id")", "json.syntax"}}) {
    const auto got = read_json_line(line, "f.jsonl", 3);
    ASSERT_FALSE(got) << line;
    EXPECT_EQ(got.error().code, code) << line;
    EXPECT_THAT(got.error().where, HasSubstr("f.jsonl:3")) << line;
  }
}

TEST(Writer, IsReadBackAsItWas) {
  const auto shown = boost::json::value{
      {"registration_id", "null"},
      {"attestation",
       {{"type", "x509"},
        {"x509", {{"primary", {{"certificate", "QQ=="}, {"subject", "x"}}}, {"secondary", nullptr}}}}},
      {"ek_name", nullptr},
      {"device_id", "true"},
      {"enabled", true},
      {"hubs", {"a.example.com", "b.example.com"}},
      {"iot_edge", true},
      {"initial_twin",
       {{"1", "a: b\n# \"c\" \x01 \xC3\xA9"},
        {"~", {1, -2.5, "x", nullptr}},
        {"e", boost::json::object()},
        {"", true},
        {"l", boost::json::array()}}},
      {"etag", "x"}};
  const auto declaration = declaration_of(shown);
  ASSERT_TRUE(declaration) << to_string(declaration.error());
  EXPECT_FALSE(declaration->request.contains("enabled"));
  const auto yaml = to_yaml(*declaration);
  const auto back = read(yaml);
  ASSERT_TRUE(back) << yaml << to_string(back.error());
  ASSERT_EQ(back->size(), 1U);
  EXPECT_EQ(back->front().request, declaration->request) << yaml;
  const auto line = read_json_line(to_json_lines(*declaration), "f", 1);
  ASSERT_TRUE(line) << to_string(line.error());
  EXPECT_EQ(line->request, declaration->request);
}

TEST(Writer, AKeyMayBeLong) {
  Declaration one;
  one.id = "a";
  one.request = {{"registration_id", "a"}, {"attestation", {{"type", "symmetric-key"}}}};
  const std::string name(3000, '6');
  one.request["initial_twin"] = {{"before", 1}, {name, {{name, 2}}}, {"after", 3}};
  const auto back = read(to_yaml(one));
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(back->front().request, one.request);
}

TEST(Writer, AGroupOfManyEksIsSeveralLines) {
  Declaration group;
  group.kind = Declaration::Kind::kGroup;
  group.id = "g";
  group.request = {{"group_id", "g"}, {"attestation", {{"type", "tpm"}}}};
  group.eks.assign(2500, "QUJD");
  const auto lines = to_json_lines(group);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
  const auto yaml = read(to_yaml(group));
  ASSERT_TRUE(yaml) << to_string(yaml.error());
  EXPECT_EQ(yaml->front().eks, group.eks);
}

}  // namespace
}  // namespace warifu::declarations

// What the verifier may rely on for policies, and for packages of flaws and quirks.
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using verifier::StoredPolicy;

auto fields(const verifier::PolicyInfo& p) {
  return std::tuple(p.target, p.revision, p.mode, p.created_at, p.updated_at);
}
auto fields(const StoredPolicy& p) {
  return std::tuple(p.scope, fields(p.info), p.document);
}
auto fields(const verifier::PackageInfo& p) {
  return std::tuple(p.kind, p.revision, p.sha256, p.key_sha256, p.put_at);
}
auto fields(const verifier::StoredPackage& p) {
  return std::tuple(p.scope, fields(p.info), p.document, p.signature, p.key);
}

class PolicyConformance : public ConformanceTest {};

TEST_P(PolicyConformance, APolicyStandsForItsTarget) {
  StoredPolicy row{here_,
                   {"group/meters", sample::uuid(sample::Kind::kToken, 1), verifier::PolicyMode::kReview,
                    sample::time(1), sample::time(1)},
                   "{}"};
  const auto put = [&] { return code_of([&](Transaction& t) { return t.verifier().put_policy(row); }); };
  EXPECT_EQ(put(), "");
  auto changed = row;
  changed.info.revision = sample::uuid(sample::Kind::kToken, 2);
  changed.document = R"({"format":"warifu.evidence-policy.v1"})";
  changed.info.mode = verifier::PolicyMode::kEnforce;
  changed.info.updated_at = sample::time(5);
  row = changed;
  row.info.created_at = sample::time(5);
  EXPECT_EQ(put(), "");
  EXPECT_EQ(fields(*found([&](Snapshot& s) { return s.verifier().find_policy(here_, "group/meters"); })),
            fields(changed));
  EXPECT_EQ(fields(*found([&](Snapshot& s) { return s.verifier().find_policy_info(here_, "group/meters"); })),
            fields(changed.info));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().find_policy(there_, "group/meters"); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().find_policy_info(there_, "group/meters"); }));
  row.info.target = "default";
  EXPECT_EQ(put(), "");
  const auto listed = found([&](Snapshot& s) { return s.verifier().list_policies(here_, {"default", 9}); });
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].target, "group/meters");
  EXPECT_EQ(found([&](Snapshot& s) { return s.verifier().list_policies(here_, {"", 1}); }).size(), 1U);
  EXPECT_EQ(code_of([&](Transaction& t) { return t.verifier().remove_policy(here_, "default"); }), "");
  EXPECT_FALSE(found([&](Snapshot& s) { return s.verifier().find_policy(here_, "default"); }));
}

TEST_P(PolicyConformance, APackageOfEachKindStandsAndIsReplaced) {
  using verifier::PackageKind;
  // Bytes that are no text, too.
  verifier::StoredPackage row{here_,
                              {PackageKind::kTpmFlaws, sample::uuid(sample::Kind::kToken, 1), sample::bytes(32, 1),
                               sample::bytes(32, 2), sample::time(4)},
                              {0x00, 0xFF, 0x7B},
                              sample::bytes(70, 3),
                              "-----BEGIN PUBLIC KEY-----\n"};
  const auto put = [&] { return code_of([&](Transaction& t) { return t.verifier().put_package(row); }); };
  const auto stored = [&](const ScopeId& scope, PackageKind kind) {
    return found([&](Snapshot& s) { return s.verifier().find_package(scope, kind); });
  };
  const auto info = [&](PackageKind kind) {
    return found([&](Snapshot& s) { return s.verifier().find_package_info(here_, kind); });
  };
  EXPECT_FALSE(info(PackageKind::kTpmFlaws));
  ASSERT_EQ(put(), "");
  EXPECT_EQ(fields(*stored(here_, PackageKind::kTpmFlaws)), fields(row));
  EXPECT_EQ(fields(*info(PackageKind::kTpmFlaws)), fields(row.info));
  EXPECT_FALSE(stored(there_, PackageKind::kTpmFlaws));
  EXPECT_FALSE(stored(here_, PackageKind::kFirmwareQuirks));

  row.info = {PackageKind::kTpmFlaws, sample::uuid(sample::Kind::kToken, 2), sample::bytes(32, 5), sample::bytes(32, 6),
              sample::time(9)};
  row.document = sample::bytes(3000, 7);
  row.signature = sample::bytes(256, 8);
  row.key = "another";
  ASSERT_EQ(put(), "");
  EXPECT_EQ(fields(*stored(here_, PackageKind::kTpmFlaws)), fields(row));
  EXPECT_EQ(code_without_entry([&](Transaction& t) { return t.verifier().put_package(row); }), "store.unaudited");

  const auto first = row;
  row.info.kind = PackageKind::kFirmwareQuirks;
  ASSERT_EQ(put(), "");
  ASSERT_EQ(code_of([&](Transaction& t) { return t.verifier().remove_package(here_, PackageKind::kFirmwareQuirks); }),
            "");
  EXPECT_FALSE(info(PackageKind::kFirmwareQuirks));
  EXPECT_EQ(fields(*stored(here_, PackageKind::kTpmFlaws)), fields(first));
}

INSTANTIATE_TEST_SUITE_P(Databases, PolicyConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store

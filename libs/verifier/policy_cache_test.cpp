#include "verifier/policy_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "verifier/test_records.h"

namespace warifu::verifier {
namespace {

// Policies and nothing else, and how often their documents were read.
class Policies final : public test::NoRecords {
 public:
  void put(std::string target, std::uint8_t revision, std::string document) {
    const PolicyInfo info{target, Uuid::from_bytes(Bytes(Uuid::kSize, revision)).value(), PolicyMode::kEnforce, {}, {}};
    stored_.insert_or_assign(target, StoredPolicy{scope_, info, std::move(document)});
  }

  Result<std::optional<PolicyInfo>> find_policy_info(const ScopeId&, std::string_view target) override {
    const auto found = stored_.find(std::string(target));
    return found == stored_.end() ? std::optional<PolicyInfo>() : std::optional(found->second.info);
  }
  Result<std::optional<StoredPolicy>> find_policy(const ScopeId&, std::string_view target) override {
    ++documents_read;
    const auto found = stored_.find(std::string(target));
    return found == stored_.end() ? std::optional<StoredPolicy>() : std::optional(found->second);
  }

  int documents_read = 0;

 private:
  const ScopeId scope_ = ScopeId::parse("0ne1").value();
  std::map<std::string, StoredPolicy> stored_;
};

std::string demanding(int pcr) {
  return fmt::format(R"({{"format":"warifu.evidence-policy.v1","registers":{{"sha256":[{}]}}}})", pcr);
}

class PolicyCacheTest : public testing::Test {
 protected:
  // The register that the standing policy demands; 0 if none stands.
  measured_boot::RegisterIndex demanded(const std::optional<GroupId>& group = {}) {
    const auto found = cache_.find_standing(policies_, device_, group);
    EXPECT_TRUE(found) << to_string(found.error());
    return found && *found ? (*found)->demands->registers.at(0).second : 0;
  }

  Policies policies_;
  PolicyCache cache_;
  const DeviceKey device_{ScopeId::parse("0ne1").value(), RegistrationId::parse("meter-1").value()};
  const GroupId group_ = GroupId::parse("meters").value();
};

TEST_F(PolicyCacheTest, TheNearestOneStands) {
  EXPECT_EQ(demanded(group_), 0U);
  policies_.put("default", 1, demanding(1));
  EXPECT_EQ(demanded(group_), 1U);
  policies_.put("group/meters", 2, demanding(2));
  EXPECT_EQ(demanded(group_), 2U);
  EXPECT_EQ(demanded(), 1U) << "of a device without a group";
  policies_.put("enrollment/meter-1", 3, demanding(3));
  EXPECT_EQ(demanded(group_), 3U);
}

TEST_F(PolicyCacheTest, ADocumentIsReadOnceForEachRevision) {
  policies_.put("default", 1, demanding(1));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(demanded(), 1U);
  EXPECT_EQ(policies_.documents_read, 1);
  policies_.put("default", 2, demanding(4));
  EXPECT_EQ(demanded(), 4U) << "a new revision judges at once";
  EXPECT_EQ(policies_.documents_read, 2);
}

TEST_F(PolicyCacheTest, HoldsThoseThatWereUsedLast) {
  policies_.put("enrollment/meter-1", 200, demanding(7));
  EXPECT_EQ(demanded(), 7U);
  for (std::uint8_t i = 0; i < PolicyCache::kSizeMax; ++i) {
    policies_.put("enrollment/meter-1", i, demanding(i));
    demanded();
  }
  policies_.documents_read = 0;
  policies_.put("enrollment/meter-1", 200, demanding(7));
  EXPECT_EQ(demanded(), 7U);
  EXPECT_EQ(policies_.documents_read, 1) << "it was the longest unused";
}

TEST_F(PolicyCacheTest, ADocumentThatIsNoneDoesNotJudge) {
  policies_.put("default", 1, "{}");
  const auto found = cache_.find_standing(policies_, device_, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, "store.corrupt");
}

}  // namespace
}  // namespace warifu::verifier

#include "verifier/policy_cache.h"

#include <algorithm>

namespace warifu::verifier {
namespace {

Result<std::optional<PolicyInfo>> find_info(RecordsView& records, const DeviceKey& device,
                                            const std::optional<GroupId>& group) {
  for (const std::string& target : policy_targets(device.registration, group)) {
    TRY(auto found, records.find_policy_info(device.scope, target));
    if (found) return found;
  }
  return std::optional<PolicyInfo>();
}

Error corrupt(std::string what) {
  return {ErrorKind::kInternal, "store.corrupt", std::move(what), "evidence_policies.document"};
}

}  // namespace

std::vector<std::string> policy_targets(const RegistrationId& registration, const std::optional<GroupId>& group) {
  std::vector<std::string> targets{policy_target(registration)};
  if (group) targets.push_back(policy_target(*group));
  targets.emplace_back(kDefaultTarget);
  return targets;
}

PolicyCache::Demands PolicyCache::find(const Uuid& revision) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(used_, revision, &std::pair<Uuid, Demands>::first);
  if (found == used_.end()) return nullptr;
  used_.splice(used_.begin(), used_, found);
  return used_.front().second;
}

void PolicyCache::keep(const Uuid& revision, Demands demands) {
  const std::lock_guard lock(mutex_);
  used_.emplace_front(revision, std::move(demands));
  if (used_.size() > kSizeMax) used_.pop_back();
}

Result<std::optional<StandingPolicy>> PolicyCache::find_standing(RecordsView& records, const DeviceKey& device,
                                                                 const std::optional<GroupId>& group) {
  TRY(auto info, find_info(records, device, group));
  if (!info) return std::optional<StandingPolicy>();
  if (auto demands = find(info->revision)) return std::optional(StandingPolicy{*std::move(info), std::move(demands)});
  TRY(const auto stored, records.find_policy(device.scope, info->target));
  if (!stored) return corrupt("the document of a policy is gone");
  auto parsed = attestation::parse_evidence_policy(stored->document);
  if (!parsed) return corrupt(parsed.error().message);
  auto demands = std::make_shared<const attestation::EvidencePolicy>(*std::move(parsed));
  keep(info->revision, demands);
  return std::optional(StandingPolicy{*std::move(info), std::move(demands)});
}

}  // namespace warifu::verifier

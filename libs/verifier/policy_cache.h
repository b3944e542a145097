#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "attestation/appraisal/policy_file.h"
#include "verifier/device.h"
#include "verifier/records.h"

namespace warifu::verifier {

// A policy as it judges.
struct StandingPolicy {
  PolicyInfo info;
  std::shared_ptr<const attestation::EvidencePolicy> demands;
};

// The targets of the policies that may stand for a device: its own, its group's, the default. The first one that there
// is stands.
std::vector<std::string> policy_targets(const RegistrationId& registration, const std::optional<GroupId>& group);

// The policies that judge, parsed once for each revision: a device asks each minute, and a document may have 16 MiB.
// Safe to call from several threads.
class PolicyCache {
 public:
  // Of the policies that were used last.
  static constexpr std::size_t kSizeMax = 16;

  // The policy that stands for a device: its own, that of its group, or the default; nullopt: none does. kInternal
  // "store.corrupt" for a document that does not parse: it was parsed before it was stored.
  Result<std::optional<StandingPolicy>> find_standing(RecordsView& records, const DeviceKey& device,
                                                      const std::optional<GroupId>& group);

 private:
  using Demands = std::shared_ptr<const attestation::EvidencePolicy>;
  Demands find(const Uuid& revision);
  void keep(const Uuid& revision, Demands demands);

  std::mutex mutex_;
  std::list<std::pair<Uuid, Demands>> used_;  // the last one first
};

}  // namespace warifu::verifier

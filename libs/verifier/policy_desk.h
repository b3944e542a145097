#pragma once

#include <optional>
#include <string>

#include "audit/entry.h"
#include "audit/requester.h"
#include "base/entropy.h"
#include "base/time.h"
#include "verifier/records.h"

namespace warifu::verifier {

struct PolicyRequest {
  std::string target;
  std::string document;  // that attestation::parse_evidence_policy() takes
  PolicyMode mode = PolicyMode::kEnforce;
};

enum class PolicyOutcome { kCreated, kUpdated, kUnchanged };
std::string_view to_string(PolicyOutcome outcome);  // "created", "updated", "unchanged"

struct PutPolicy {
  PolicyInfo policy;
  PolicyOutcome outcome;
};

// What operators demand of the evidence of their devices. The changes run inside a transaction and leave their audit
// entry, with the digest of the document.
class PolicyDesk {
 public:
  static constexpr std::size_t kPoliciesMax = 1'000;

  PolicyDesk(const Clock& clock, Entropy& entropy) : clock_(clock), entropy_(entropy) {}

  // `expected`: the revision that it takes the place of. kConflict "policy.revision" if another stands, or none;
  // "policy.too_many".
  Result<PutPolicy> put(Records& records, audit::Trail& trail, const audit::Requester& who,
                        const PolicyRequest& request, const std::optional<Uuid>& expected) const;
  // kNotFound "policy.unknown", kConflict "policy.revision".
  Status remove(Records& records, audit::Trail& trail, const audit::Requester& who, const std::string& target,
                const std::optional<Uuid>& expected) const;

 private:
  const Clock& clock_;
  Entropy& entropy_;
};

Error unknown_policy(std::string_view target);

}  // namespace warifu::verifier

#pragma once

#include "attestation/appraisal/result.h"
#include "verifier/policy_cache.h"

namespace warifu::verifier {

// What the policy itself says of the configuration layer: "policy.none", "policy.empty" and "policy.review" have
// no weight, so that the overall tier cannot be affirming; "policy.enforced" affirms.
void add_policy(const StandingPolicy* policy, attestation::AttestationResult& result);
// Under review nothing that a policy found weighs more than a warning.
attestation::AttestationResult weighed(const attestation::AttestationResult& result, const PolicyInfo* policy);

}  // namespace warifu::verifier

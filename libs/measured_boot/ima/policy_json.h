#pragma once

#include "base/result.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/ima/policy.h"
#include "wire/json.h"

namespace warifu::measured_boot::ima {

// A policy, and where IMA measures on the machines that it is for.
struct PolicyFile {
  Policy policy;
  ImaRegisters registers;
};

// The "ima" part of a policy of evidence (docs/formats/evidence-policy.md). Its codes, all kInvalidInput with the path:
// "ima.policy.digest", "ima.policy.until", "ima.policy.retiring", "ima.policy.choice", "ima.policy.key", those of
// Exclude::parse(), ImaRegisters::with() and wire::JsonFields.
Result<PolicyFile> parse_policy(const wire::JsonFields& fields);

}  // namespace warifu::measured_boot::ima

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace warifu::provisioning {

// How a verifier judged what a device showed (EAR: trustworthiness tiers). kNone is what was not appraised, and never
// good enough.
enum class AttestationTier { kNone, kAffirming, kWarning, kContraindicated };
std::string_view to_string(AttestationTier tier);  // "none", "affirming", "warning", "contraindicated"

// The last that a verifier knows of a registration.
struct LastAttestation {
  Bytes ek_name;  // of the EK beside which a TPM proved to hold the attestation key (AK) that is bound now

  struct Judgement {
    bool is_of_bound_ak = false;         // else another AK took the place of the one that attested
    bool is_by_standing_policy = false;  // else the policy is another one now, or another revision
    AttestationTier overall = AttestationTier::kNone;
    bool is_by_enforced_policy = false;  // one that demands something, and is not under review
    std::string findings = {};           // what made it so, for operators; may be empty
    Timestamp attested_at = {};
    Timestamp next_due_at = {};
  };
  std::optional<Judgement> judgement = {};  // absent: the AK is bound, and nothing was shown yet
};

}  // namespace warifu::provisioning

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/appraisal/allowances.h"
#include "attestation/appraisal/hardware_appraisal.h"
#include "attestation/appraisal/result.h"
#include "verifier/nonce.h"
#include "verifier/policy_cache.h"
#include "verifier/records.h"
#include "verifier/submission.h"

namespace warifu::verifier {

using attestation::EkStanding;

// Everything that an appraisal looks at. Null pointers: there is none.
struct Evidence {
  const BoundAk& ak;
  const Ledger* before = nullptr;
  const StandingPolicy* policy = nullptr;
  const Submission& submission;
  const Bytes* event_log = nullptr;  // the one that the submission tells of
  EkStanding ek = {};                // as ek_trust judged it
  const endorsement::FlawTable& flaws;
  const attestation::Allowances* allowances = nullptr;  // of the machine that the policy says it is
  const CheckedNonce& nonce;
  Timestamp now;
  std::chrono::seconds interval;  // after which it is due again
};

struct Appraised {
  attestation::AttestationResult result;
  Ledger next;
  std::optional<Keeping> keeping = {};  // why the evidence is worth keeping whole
  // What the audit log is told; empty: it is as it was.
  std::vector<std::string_view> news = {};
  bool keeps_event_log = false;  // the registers confirm it
};

// Judges evidence: a function of what it is given. Errors are for what is no quote of this AK over this nonce (codes of
// attestation::verify()), and for what cannot be judged yet: kUnauthenticated "attestation.nonce-used"; kConflict
// "attestation.ima-offset": the IMA list must begin where the nonce said; kConflict "attestation.event-log-unknown".
// Everything else is a finding.
Result<Appraised> appraise(const Evidence& evidence);

// From where the IMA list of this boot is wanted: at 0 unless the same policy judged what came before it, and judges it
// alike now. A window that closed since then withdraws what was allowed: what was measured is judged again.
ImaProgress ima_start(const Ledger* before, ByteView ak_name, std::string_view boot_id, const StandingPolicy* policy,
                      Timestamp now);

}  // namespace warifu::verifier

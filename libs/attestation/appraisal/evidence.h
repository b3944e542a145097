#pragma once

#include <optional>
#include <span>

#include "attestation/appraisal/allowances.h"
#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/policy_file.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "attestation/appraisal/result.h"
#include "attestation/quote/quote.h"
#include "base/bytes.h"
#include "base/result.h"
#include "measured_boot/registers.h"

// The whole appraisal of evidence, from the quote up: what `warifu quote verify` and the server do alike.
namespace warifu::attestation {

// All that somebody shows at once.
struct Evidence {
  Bytes message;    // TPMS_ATTEST
  Bytes signature;  // as RawQuote takes it
  std::optional<measured_boot::RegisterValues> claimed = {};
  // These are looked at only beside register values.
  std::optional<Bytes> event_log = {};
  std::optional<Bytes> userspace_log = {};  // only beside an event log
  std::optional<Bytes> ima_list = {};
};

// What it is held against.
struct EvidenceTerms {
  std::optional<Bytes> nonce = {};               // nullopt: nobody looks at freshness
  std::span<const RegisterPlace> required = {};  // those of the policy are not looked for
  const EvidencePolicy* policy = nullptr;
  const Allowances* allowances = nullptr;
  Sha1Use sha1 = Sha1Use::kRefused;
  BareKeyUse bare = BareKeyUse::kRefused;
};

// What was proved before something did not hold. The claims are views into the evidence.
struct EvidenceOutcome {
  AttestationResult result;
  std::optional<VerifiedQuote> quote = {};
  std::optional<ProvedRegisters> registers = {};
  std::optional<ExplainedBoot> boot = {};
};

// Fills the outcome as far as it goes. What did not hold is a finding in it, and the error too; an appraisal that went
// to its end and contradicts a layer is "attestation.contraindicated" (kRefused). Malformed evidence (kInvalidInput)
// of which nothing was found before leaves the outcome without findings: there is no result.
Status appraise_evidence(const Evidence& evidence, const AkPublic& ak, const EvidenceTerms& terms,
                         EvidenceOutcome& outcome);

}  // namespace warifu::attestation

#pragma once

#include <optional>
#include <span>

#include "attestation/appraisal/allowances.h"
#include "attestation/appraisal/hardware_appraisal.h"
#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/policy_file.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "attestation/appraisal/result.h"
#include "attestation/quote/quote.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
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
  // What is known of the TPM beside its quote. Null pointers: nobody looks, and what a policy demands of it is not
  // shown.
  const EkStanding* ek = nullptr;
  const endorsement::FlawTable* flaws = nullptr;
  Sha1Use sha1 = Sha1Use::kRefused;
  BareKeyUse bare = BareKeyUse::kRefused;
  Timestamp now = measured_boot::ima::AllowList::kAfterAllWindows;  // which windows of the policy are closed
};

// What was proved before something did not hold. The claims are views into the evidence.
struct EvidenceOutcome {
  AttestationResult result;
  std::optional<VerifiedQuote> quote = {};
  std::optional<ProvedRegisters> registers = {};
  std::optional<ExplainedBoot> boot = {};
};

// The logs of one boot, as somebody shows them. Null pointers: none.
struct BootLogs {
  const Bytes* event_log = nullptr;
  const Bytes* userspace_log = nullptr;  // only beside an event log
};
// The boot layer. nullopt: no log came, which contradicts a policy that asks for one. Errors are those of the parsers
// and of appraise_event_log(). The claims are views into the log.
Result<std::optional<ExplainedBoot>> appraise_boot(const BootLogs& logs, const ProvedRegisters& registers,
                                                   const EvidenceTerms& terms, AttestationResult& result);

// An IMA list, from where `last` ended in the same boot; nullptr: a whole one.
struct ImaEntries {
  ByteView content;
  const measured_boot::ima::Replay* last = nullptr;
};
// The runtime layer; `boot` is what appraise_boot() gave. nullopt: no list came, which contradicts a policy that judges
// one. Else what to keep, and to go on from. Errors are those of appraise_ima_entries().
Result<std::optional<measured_boot::ima::Replay>> appraise_runtime(const std::optional<ImaEntries>& list,
                                                                   const ProvedRegisters& registers,
                                                                   const ExplainedBoot* boot,
                                                                   const EvidenceTerms& terms,
                                                                   AttestationResult& result);

// Fills the outcome as far as it goes. What did not hold is a finding in it, and the error too; an appraisal that went
// to its end and contradicts a layer is "attestation.contraindicated" (kRefused). Malformed evidence (kInvalidInput)
// of which nothing was found before leaves the outcome without findings: there is no result.
Status appraise_evidence(const Evidence& evidence, const AkPublic& ak, const EvidenceTerms& terms,
                         EvidenceOutcome& outcome);

}  // namespace warifu::attestation

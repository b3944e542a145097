#include "attestation/appraisal/evidence.h"

#include <fmt/format.h>

#include <algorithm>

#include "attestation/appraisal/boot_requirements.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/userspace_log/parse.h"

namespace warifu::attestation {
namespace {

constexpr std::string_view kContraindicatedCode = "attestation.contraindicated";

Error contradiction(const AttestationResult& result) {
  const auto first = std::ranges::find(result.findings(), Tier::kContraindicated, &Finding::tier);
  return {ErrorKind::kRefused, kContraindicatedCode, fmt::format("{}: {}", first->code, first->what), first->where};
}

Status appraise_boot(const Evidence& evidence, const EvidenceTerms& terms, EvidenceOutcome& outcome) {
  const bool has_policy = terms.policy != nullptr && terms.policy->requires_boot();
  if (!evidence.event_log) {
    if (has_policy) add_missing_log(terms.policy->boot, outcome.result);
    return {};
  }
  TRY(const auto log, measured_boot::parse_event_log(*evidence.event_log));
  BootExpectations expectations{
      .sha1 = terms.sha1, .allowances = terms.allowances, .policy = has_policy ? &terms.policy->boot : nullptr};
  std::optional<measured_boot::UserspaceLog> userspace;
  if (evidence.userspace_log) {
    TRY(userspace, measured_boot::parse_userspace_log(*evidence.userspace_log));
    expectations.userspace = &*userspace;
  }
  TRY(outcome.boot, appraise_event_log(log, *outcome.registers, outcome.result, expectations));
  return {};
}

Status appraise_runtime(const Evidence& evidence, const EvidenceTerms& terms, EvidenceOutcome& outcome) {
  const bool has_policy = terms.policy != nullptr && terms.policy->ima;
  if (!evidence.ima_list) {
    if (has_policy)
      outcome.result.add({Layer::kRuntime, Tier::kContraindicated, "ima.required",
                          "the policy judges an IMA list, and none came", "IMA list"});
    return {};
  }
  RuntimeExpectations expectations{.sha1 = terms.sha1};
  if (outcome.boot) expectations.before_userspace = &outcome.boot->before_userspace;
  if (has_policy) {
    expectations.policy = &terms.policy->ima->policy;
    expectations.registers = terms.policy->ima->registers;
  }
  return appraise_ima_list(*evidence.ima_list, *outcome.registers, outcome.result, expectations);
}

Status appraise(const Evidence& evidence, const AkPublic& ak, const EvidenceTerms& terms, EvidenceOutcome& outcome) {
  const Nonce nonce = terms.nonce ? Nonce(ExpectedNonce{*terms.nonce}) : Nonce(AnyNonce{});
  TRY(outcome.quote, verify({evidence.message, evidence.signature}, ak, nonce, terms.sha1));
  appraise_quote(*outcome.quote, outcome.result, terms.bare);
  if (evidence.claimed) {
    TRY(outcome.registers, prove_registers(*outcome.quote, *evidence.claimed));
    appraise_registers(*outcome.registers, outcome.result, terms.policy != nullptr && terms.policy->requires_boot());
    appraise_required(*outcome.registers, terms.required, outcome.result);
    TRY_STATUS(appraise_boot(evidence, terms, outcome));
    TRY_STATUS(appraise_runtime(evidence, terms, outcome));
  }
  if (outcome.result.overall() != Tier::kContraindicated) return {};
  return contradiction(outcome.result);
}

}  // namespace

Status appraise_evidence(const Evidence& evidence, const AkPublic& ak, const EvidenceTerms& terms,
                         EvidenceOutcome& outcome) {
  Status done = appraise(evidence, ak, terms, outcome);
  if (done || done.error().code == kContraindicatedCode) return done;
  // Who sends a bad list does not hide what was found before it.
  const bool has_result = done.error().kind == ErrorKind::kRefused || !outcome.result.findings().empty();
  if (has_result) add_refusal(done.error(), outcome.result);
  return done;
}

}  // namespace warifu::attestation

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

template <class T>
const T* address_of(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

void appraise_tpm(const VerifiedQuote& quote, const EvidenceTerms& terms, AttestationResult& result) {
  const auto state = QuoteState::of(quote);
  const HardwarePolicy* policy = terms.policy != nullptr ? terms.policy->hardware_policy() : nullptr;
  if (terms.ek == nullptr || terms.flaws == nullptr) return add_unshown_hardware(state, policy, result);
  const auto* identity = quote.ak().identity();
  const auto firmware = identity != nullptr ? shown_firmware(state, identity->name.bytes()) : std::nullopt;
  appraise_hardware({*terms.ek, firmware}, {*terms.flaws, policy}, result);
}

Status appraise(const Evidence& evidence, const AkPublic& ak, const EvidenceTerms& terms, EvidenceOutcome& outcome) {
  const Nonce nonce = terms.nonce ? Nonce(ExpectedNonce{*terms.nonce}) : Nonce(AnyNonce{});
  TRY(outcome.quote, verify({evidence.message, evidence.signature}, ak, nonce, terms.sha1));
  appraise_quote(*outcome.quote, outcome.result, terms.bare);
  appraise_tpm(*outcome.quote, terms, outcome.result);
  if (evidence.claimed) {
    TRY(outcome.registers, prove_registers(*outcome.quote, *evidence.claimed));
    appraise_registers(*outcome.registers, outcome.result, terms.policy != nullptr && terms.policy->requires_boot());
    appraise_required(*outcome.registers, terms.required, outcome.result);
    TRY(outcome.boot, appraise_boot({address_of(evidence.event_log), address_of(evidence.userspace_log)},
                                    *outcome.registers, terms, outcome.result));
    std::optional<ImaEntries> list;
    if (evidence.ima_list) list = ImaEntries{*evidence.ima_list};
    TRY_STATUS(appraise_runtime(list, *outcome.registers, address_of(outcome.boot), terms, outcome.result));
  }
  if (outcome.result.overall() != Tier::kContraindicated) return {};
  return contradiction(outcome.result);
}

}  // namespace

Result<std::optional<ExplainedBoot>> appraise_boot(const BootLogs& logs, const ProvedRegisters& registers,
                                                   const EvidenceTerms& terms, AttestationResult& result) {
  const BootPolicy* policy = terms.policy != nullptr && terms.policy->requires_boot() ? &terms.policy->boot : nullptr;
  if (logs.event_log == nullptr) {
    if (policy != nullptr) add_missing_log(*policy, result);
    return std::optional<ExplainedBoot>();
  }
  TRY(const auto log, measured_boot::parse_event_log(*logs.event_log));
  BootExpectations expectations{.sha1 = terms.sha1, .allowances = terms.allowances, .policy = policy};
  std::optional<measured_boot::UserspaceLog> userspace;
  if (logs.userspace_log != nullptr) {
    TRY(userspace, measured_boot::parse_userspace_log(*logs.userspace_log));
    expectations.userspace = &*userspace;
  }
  TRY(auto explained, appraise_event_log(log, registers, result, expectations));
  return std::optional(std::move(explained));
}

Result<std::optional<measured_boot::ima::Replay>> appraise_runtime(const std::optional<ImaEntries>& list,
                                                                   const ProvedRegisters& registers,
                                                                   const ExplainedBoot* boot,
                                                                   const EvidenceTerms& terms,
                                                                   AttestationResult& result) {
  using measured_boot::ima::Replay;
  const bool has_policy = terms.policy != nullptr && terms.policy->ima;
  if (!list) {
    if (has_policy)
      result.add({Layer::kRuntime, Tier::kContraindicated, "ima.required",
                  "the policy judges an IMA list, and none came", "IMA list"});
    return std::optional<Replay>();
  }
  RuntimeExpectations expectations{.sha1 = terms.sha1, .now = terms.now};
  if (boot != nullptr) expectations.before_userspace = &boot->before_userspace;
  if (has_policy) {
    expectations.policy = &terms.policy->ima->policy;
    expectations.registers = terms.policy->ima->registers;
  }
  TRY(auto replay, appraise_ima_entries(list->content, list->last, registers, result, expectations));
  return std::optional(std::move(replay));
}

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

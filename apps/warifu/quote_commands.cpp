#include "warifu/quote_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "attestation/appraisal/boot_requirements.h"
#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "base/time.h"
#include "measured_boot/claims/claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/registers_json.h"
#include "measured_boot/userspace_log/parse.h"
#include "warifu/eventlog_output.h"
#include "warifu/output.h"
#include "warifu/quote_evidence.h"
#include "warifu/quote_output.h"

namespace warifu::cli {
namespace {

using namespace attestation;

constexpr std::string_view kContraindicatedCode = "attestation.contraindicated";

// What was proved before something did not hold.
struct Outcome {
  AttestationResult result;
  std::optional<VerifiedQuote> quote;
  std::optional<ProvedRegisters> registers;
  std::optional<ExplainedBoot> boot;
};

Error contradiction(const AttestationResult& result) {
  const auto first = std::ranges::find(result.findings(), Tier::kContraindicated, &Finding::tier);
  return {ErrorKind::kRefused, kContraindicatedCode, fmt::format("{}: {}", first->code, first->what), first->where};
}

// The logs are views into the evidence, and so are the claims.
Status appraise_boot(const QuoteOptions& options, const QuoteEvidence& evidence, Outcome& outcome) {
  const bool has_policy = evidence.policy && evidence.policy->requires_boot();
  if (!evidence.event_log) {
    if (has_policy) add_missing_log(evidence.policy->boot, outcome.result);
    return {};
  }
  Allowances allowances;
  if (evidence.waivers) allowances = Allowances(*evidence.waivers, options.machine, SystemClock().now());
  TRY(const auto log, measured_boot::parse_event_log(*evidence.event_log));
  BootExpectations expectations{.sha1 = options.allow_sha1 ? Sha1Use::kAllowed : Sha1Use::kRefused,
                                .allowances = &allowances,
                                .policy = has_policy ? &evidence.policy->boot : nullptr};
  std::optional<measured_boot::UserspaceLog> userspace;
  if (evidence.userspace_log) {
    TRY(userspace, measured_boot::parse_userspace_log(*evidence.userspace_log));
    expectations.userspace = &*userspace;
  }
  TRY(outcome.boot, appraise_event_log(log, *outcome.registers, outcome.result, expectations));
  return {};
}

Status appraise_runtime(const QuoteOptions& options, const QuoteEvidence& evidence, Outcome& outcome) {
  const bool has_policy = evidence.policy && evidence.policy->ima;
  if (!evidence.ima_list) {
    if (has_policy)
      outcome.result.add({Layer::kRuntime, Tier::kContraindicated, "ima.required",
                          "the policy judges an IMA list, and none came", "IMA list"});
    return {};
  }
  RuntimeExpectations expectations{.sha1 = options.allow_sha1 ? Sha1Use::kAllowed : Sha1Use::kRefused};
  if (outcome.boot) expectations.before_userspace = &outcome.boot->before_userspace;
  if (has_policy) {
    expectations.policy = &evidence.policy->ima->policy;
    expectations.registers = evidence.policy->ima->registers;
  }
  return appraise_ima_list(*evidence.ima_list, *outcome.registers, outcome.result, expectations);
}

Status appraise(const QuoteOptions& options, const QuoteEvidence& evidence, Outcome& outcome) {
  const Sha1Use sha1 = options.allow_sha1 ? Sha1Use::kAllowed : Sha1Use::kRefused;
  TRY(const auto ak, AkPublic::from_file(evidence.ak, sha1));
  const Nonce nonce = evidence.nonce ? Nonce(ExpectedNonce{*evidence.nonce}) : Nonce(AnyNonce{});
  TRY(outcome.quote, verify({evidence.message, evidence.signature}, ak, nonce, sha1));
  appraise_quote(*outcome.quote, outcome.result,
                 options.require_public_area ? BareKeyUse::kRefused : BareKeyUse::kTold);
  if (evidence.claimed) {
    TRY(outcome.registers, prove_registers(*outcome.quote, *evidence.claimed));
    appraise_registers(*outcome.registers, outcome.result, evidence.policy && evidence.policy->requires_boot());
    appraise_required(*outcome.registers, evidence.required, outcome.result);
    TRY_STATUS(appraise_boot(options, evidence, outcome));
    TRY_STATUS(appraise_runtime(options, evidence, outcome));
  }
  if (outcome.result.overall() != Tier::kContraindicated) return {};
  return contradiction(outcome.result);
}

void print(const Context& context, const Outcome& outcome) {
  if (!context.json) {
    print_result(outcome.result);
    if (outcome.quote) print_quote(*outcome.quote);
    return;
  }
  auto answer = result_to_json(outcome.result);
  answer["quote"] = outcome.quote ? boost::json::value(quote_to_json(*outcome.quote)) : boost::json::value(nullptr);
  answer["pcrs"] = outcome.registers ? boost::json::value(measured_boot::to_json(outcome.registers->values()))
                                     : boost::json::value(nullptr);
  answer["claims"] = outcome.boot ? boost::json::value(to_json(outcome.boot->claims)) : boost::json::value(nullptr);
  print_json(answer);
}

}  // namespace

Status verify_quote(const Context& context, const QuoteOptions& options) {
  TRY(const QuoteEvidence evidence, read_quote_evidence(options));
  Outcome outcome;
  Status done = appraise(options, evidence, outcome);
  // Input that is malformed has no result, unless something was found before: who sends a bad list does not hide that.
  if (!done && done.error().kind != ErrorKind::kRefused && outcome.result.findings().empty()) return done;
  if (!done && done.error().code != kContraindicatedCode) add_refusal(done.error(), outcome.result);
  print(context, outcome);
  return done;
}

}  // namespace warifu::cli

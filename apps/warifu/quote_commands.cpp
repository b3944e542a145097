#include "warifu/quote_commands.h"

#include "attestation/appraisal/evidence.h"
#include "attestation/appraisal/result_json.h"
#include "base/time.h"
#include "measured_boot/claims/claims.h"
#include "measured_boot/registers_json.h"
#include "warifu/eventlog_output.h"
#include "warifu/output.h"
#include "warifu/quote_evidence.h"
#include "warifu/quote_output.h"
#include "warifu/time_option.h"

namespace warifu::cli {
namespace {

using namespace attestation;

// Of the evidence, which outlives the outcome.
Status appraise(const QuoteOptions& options, const QuoteEvidence& evidence, Timestamp now, EvidenceOutcome& outcome) {
  EvidenceTerms terms{.nonce = evidence.nonce,
                      .required = evidence.required,
                      .policy = evidence.policy ? &*evidence.policy : nullptr,
                      .sha1 = options.allow_sha1 ? Sha1Use::kAllowed : Sha1Use::kRefused,
                      .bare = options.require_public_area ? BareKeyUse::kRefused : BareKeyUse::kTold,
                      .now = now};
  Allowances allowances;
  if (evidence.waivers) allowances = Allowances(*evidence.waivers, options.machine, now);
  terms.allowances = &allowances;
  auto ak = AkPublic::from_file(evidence.ak, terms.sha1);
  if (ak) return appraise_evidence(evidence.shown, *ak, terms, outcome);
  if (ak.error().kind == ErrorKind::kRefused) add_refusal(ak.error(), outcome.result);
  return ak.error();
}

void print(const Context& context, const EvidenceOutcome& outcome) {
  if (!context.json) {
    print_result(outcome.result);
    if (outcome.quote) print_quote(*outcome.quote);
    return;
  }
  auto answer = attestation::to_json(outcome.result);
  answer["quote"] =
      outcome.quote ? boost::json::value(attestation::to_json(*outcome.quote)) : boost::json::value(nullptr);
  answer["pcrs"] = outcome.registers ? boost::json::value(measured_boot::to_json(outcome.registers->values()))
                                     : boost::json::value(nullptr);
  answer["claims"] = outcome.boot ? boost::json::value(to_json(outcome.boot->claims)) : boost::json::value(nullptr);
  print_json(answer);
}

}  // namespace

Status verify_quote(const Context& context, const QuoteOptions& options) {
  Timestamp now = SystemClock().now();
  if (!options.at.empty()) {
    TRY(now, time_of(options.at, "--at"));
  }
  TRY(const QuoteEvidence evidence, read_quote_evidence(options));
  EvidenceOutcome outcome;
  Status done = appraise(options, evidence, now, outcome);
  // Input that is malformed has no result, unless something was found before.
  if (!done && outcome.result.findings().empty()) return done;
  print(context, outcome);
  return done;
}

}  // namespace warifu::cli

#include "warifu/quote_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/registers_json.h"
#include "warifu/evidence_file.h"
#include "warifu/output.h"
#include "warifu/quote_output.h"

namespace warifu::cli {
namespace {

using namespace attestation;

constexpr std::string_view kContraindicatedCode = "attestation.contraindicated";
constexpr std::size_t kSmallFileMax = 64 * 1024;

// All that was read of the command line's files.
struct Evidence {
  Bytes ak;
  Bytes message;
  Bytes signature;
  std::optional<Bytes> nonce;
  std::optional<measured_boot::RegisterValues> claimed;
  std::optional<Bytes> event_log;
  std::optional<Bytes> ima_list;
};

Result<Evidence> read(const QuoteOptions& options) {
  Evidence evidence;
  TRY(evidence.ak, read_evidence(options.ak_file, kSmallFileMax));
  TRY(evidence.message, read_evidence(options.message_file, kSmallFileMax));
  TRY(evidence.signature, read_evidence(options.signature_file, kSmallFileMax));
  if (options.nonce) {
    TRY(evidence.nonce, from_hex(*options.nonce));
  }
  if (!options.pcrs_file.empty()) {
    TRY(const Bytes pcrs, read_evidence(options.pcrs_file, kSmallFileMax));
    TRY(evidence.claimed, measured_boot::parse_register_values(as_text(pcrs)));
  }
  if (!options.eventlog_file.empty()) {
    TRY(evidence.event_log, read_evidence(options.eventlog_file, measured_boot::kLogSizeMax));
  }
  if (!options.ima_file.empty()) {
    TRY(evidence.ima_list, read_evidence(options.ima_file, measured_boot::ima::kMaxListBytes));
  }
  return evidence;
}

// What was proved before something did not hold.
struct Outcome {
  AttestationResult result;
  std::optional<VerifiedQuote> quote;
  std::optional<ProvedRegisters> registers;
};

Error contradiction(const AttestationResult& result) {
  const auto first = std::ranges::find(result.findings(), Tier::kContraindicated, &Finding::tier);
  return {ErrorKind::kRefused, kContraindicatedCode, fmt::format("{}: {}", first->code, first->what), first->where};
}

Status appraise(const Evidence& evidence, Sha1Use sha1, Outcome& outcome) {
  TRY(const auto ak, AkPublic::from_file(evidence.ak, sha1));
  const Nonce nonce = evidence.nonce ? Nonce(ExpectedNonce{*evidence.nonce}) : Nonce(AnyNonce{});
  TRY(outcome.quote, verify({evidence.message, evidence.signature}, ak, nonce, sha1));
  appraise_quote(*outcome.quote, outcome.result);
  if (!evidence.claimed) return {};
  TRY(outcome.registers, prove_registers(*outcome.quote, *evidence.claimed));
  appraise_registers(*outcome.registers, outcome.result);
  if (evidence.event_log) {
    TRY(const auto log, measured_boot::parse_event_log(*evidence.event_log));
    TRY_STATUS(appraise_event_log(log, *outcome.registers, outcome.result, sha1));
  }
  if (evidence.ima_list) {
    TRY_STATUS(appraise_ima_list(*evidence.ima_list, *outcome.registers, outcome.result, sha1));
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
  print_json(answer);
}

}  // namespace

Status verify_quote(const Context& context, const QuoteOptions& options) {
  TRY(const Evidence evidence, read(options));
  Outcome outcome;
  Status done = appraise(evidence, options.allow_sha1 ? Sha1Use::kAllowed : Sha1Use::kRefused, outcome);
  // Input that is malformed has no result, unless something was found before: who sends a bad list does not hide that.
  if (!done && done.error().kind != ErrorKind::kRefused && outcome.result.findings().empty()) return done;
  if (!done && done.error().code != kContraindicatedCode) add_refusal(done.error(), outcome.result);
  print(context, outcome);
  return done;
}

}  // namespace warifu::cli

#include "warifu/quote_evidence.h"

#include "base/place.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/registers_json.h"
#include "measured_boot/userspace_log/parse.h"
#include "warifu/evidence_file.h"
#include "warifu/policy_text.h"

namespace warifu::cli {
namespace {

using namespace attestation;

constexpr std::size_t kSmallFileMax = 64 * 1024;
constexpr std::size_t kWaiversSizeMax = 1024 * 1024;

// Several files are read as JSON: an error says which of them it is about.
template <class T>
Result<T> named(Result<T> parsed, const std::string& file) {
  if (!parsed) return at(std::move(parsed).error(), file);
  return parsed;
}

Status read_logs(const QuoteOptions& options, QuoteEvidence& evidence) {
  if (!options.eventlog_file.empty()) {
    TRY(evidence.shown.event_log, read_evidence(options.eventlog_file, measured_boot::kLogSizeMax));
  }
  if (!options.userspace_log_file.empty()) {
    TRY(evidence.shown.userspace_log, read_evidence(options.userspace_log_file, measured_boot::kUserspaceLogSizeMax));
  }
  if (!options.ima_file.empty()) {
    TRY(evidence.shown.ima_list, read_evidence(options.ima_file, measured_boot::ima::kMaxListBytes));
  }
  return {};
}

Status read_policy(const QuoteOptions& options, QuoteEvidence& evidence) {
  for (const std::string& text : options.required) {
    TRY(const auto places, parse_register_places(text));
    evidence.required.insert(evidence.required.end(), places.begin(), places.end());
  }
  if (options.policy_file.empty()) return {};
  TRY(const auto policy, read_policy_text(options.policy_file));
  TRY(evidence.policy, named(parse_evidence_policy(policy), options.policy_file));
  const auto& places = evidence.policy->registers;
  evidence.required.insert(evidence.required.end(), places.begin(), places.end());
  return {};
}

Status read_waivers(const QuoteOptions& options, QuoteEvidence& evidence) {
  if (options.waivers_file.empty()) return {};
  TRY(const Bytes text, read_evidence(options.waivers_file, kWaiversSizeMax));
  TRY(const Bytes signature, read_evidence(options.waivers_signature_file, kSmallFileMax));
  TRY(const Bytes pem, read_evidence(options.waivers_key_file, kSmallFileMax));
  TRY(const auto key, named(crypto::PublicKey::from_pem(as_text(pem)), options.waivers_key_file));
  TRY(const auto checked, named(endorsement::SignedText::check(std::string(as_text(text)), signature, key),
                                options.waivers_signature_file));
  TRY(evidence.waivers, named(endorsement::FirmwareQuirks::load(checked), options.waivers_file));
  return {};
}

}  // namespace

Result<QuoteEvidence> read_quote_evidence(const QuoteOptions& options) {
  QuoteEvidence evidence;
  TRY(evidence.ak, read_evidence(options.ak_file, kSmallFileMax));
  TRY(evidence.shown.message, read_evidence(options.message_file, kSmallFileMax));
  TRY(evidence.shown.signature, read_evidence(options.signature_file, kSmallFileMax));
  if (options.nonce) {
    TRY(evidence.nonce, from_hex(*options.nonce));
  }
  if (!options.pcrs_file.empty()) {
    TRY(const Bytes pcrs, read_evidence(options.pcrs_file, kSmallFileMax));
    TRY(evidence.shown.claimed, named(measured_boot::parse_register_values(as_text(pcrs)), options.pcrs_file));
  }
  TRY_STATUS(read_logs(options, evidence));
  TRY_STATUS(read_policy(options, evidence));
  TRY_STATUS(read_waivers(options, evidence));
  return evidence;
}

}  // namespace warifu::cli

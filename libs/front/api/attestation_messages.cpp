#include "front/api/attestation_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <limits>

#include "attestation/appraisal/result_json.h"
#include "base/time_text.h"
#include "front/api/body_limits.h"
#include "front/api/fields.h"
#include "front/api/paging.h"
#include "verifier/ledger_desk.h"
#include "wire/json.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using attestation::Tier;
using verifier::AppliedPolicy;

constexpr wire::JsonLimits kPolicyLimits{.max_bytes = kPolicyBodySizeMax};
// What we wrote ourselves, whatever its size.
constexpr wire::JsonLimits kStoredLimits{.max_bytes = 64 * 1024 * 1024};

json::object tried_layers(const attestation::AttestationResult& result) {
  json::object layers;
  for (const auto layer : verifier::kTriedLayers)
    layers[to_string(layer)] = to_string(result.of(layer));
  return layers;
}

json::value applied_json(const std::optional<AppliedPolicy>& policy) {
  if (!policy) return {};
  return json::object{{"target", policy->target}, {"revision", policy->revision.text()}};
}

Result<json::value> stored_json(std::string_view text, std::string_view what) {
  auto value = wire::parse_json(text, kStoredLimits);
  if (!value)
    return Error{ErrorKind::kInternal, "store.corrupt", fmt::format("{}: {}", what, to_string(value.error()))};
  return value;
}

json::object quote_json(const attestation::QuoteState& quote) {
  return {{"clock_ms", quote.clock.clock_ms},
          {"reset_count", quote.clock.reset_count},
          {"restart_count", quote.clock.restart_count},
          {"safe", quote.clock.safe},
          {"firmware_version", fmt::format("{:016x}", quote.firmware_version)}};
}

// Silence is not health: what is overdue is told beside the last result.
bool is_overdue(Timestamp due, Timestamp now) {
  return due < now;
}

Result<ReadPolicy> read_policy(const wire::JsonFields& fields, std::string target) {
  TRY(const auto mode, fields.optional_string("mode"));
  verifier::PolicyRequest request{.target = std::move(target), .document = {}};
  if (mode) {
    auto parsed = verifier::parse_policy_mode(*mode);
    if (!parsed) return at(std::move(parsed).error(), "mode");
    request.mode = *parsed;
  }
  const auto* policy = fields.find("policy");
  if (policy == nullptr) return invalid_input("json.missing", "the policy is missing", "policy");
  request.document = json::serialize(*policy);
  auto demands = attestation::parse_evidence_policy(request.document);
  if (!demands) return at(std::move(demands).error(), "policy");
  if (demands->machine && request.target == verifier::kDefaultTarget)
    return invalid_input("policy.machine", "a machine is that of a group or of an enrollment, not of all others",
                         "policy.machine");
  return ReadPolicy{std::move(request), *std::move(demands)};
}

}  // namespace

Result<ReadPolicy> parse_policy_request(std::string_view body, std::string target) {
  TRY(const auto value, wire::parse_json(body, kPolicyLimits));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"policy", "mode"}));
  return read_policy(fields, std::move(target));
}

Result<ReadTrial> parse_trial_request(std::string_view body, std::string target) {
  TRY(const auto value, wire::parse_json(body, kPolicyLimits));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"policy", "mode", "at"}));
  TRY(const auto text, fields.optional_string("at"));
  std::optional<Timestamp> at;
  if (text) {
    at = parse_rfc3339(*text);
    if (!at) return invalid_input("policy.at", "expected a time in UTC like 2026-12-01T00:00:00Z", "at");
  }
  TRY(auto policy, read_policy(fields, std::move(target)));
  return ReadTrial{std::move(policy), at};
}

Result<std::string> parse_reason(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"reason"}));
  TRY(auto reason, fields.required_string("reason"));
  const bool is_line = std::ranges::none_of(reason, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (!reason.empty() && reason.size() <= verifier::kReasonSizeMax && is_line) return reason;
  return invalid_input("attestation.reason",
                       fmt::format("expected a reason in one line of at most {} bytes", verifier::kReasonSizeMax),
                       "reason");
}

Result<verifier::Page> text_page_of(const Call& call) {
  TRY(const auto size, page_size_of(call));
  return verifier::Page{std::string(call.target.parameter("after").value_or("")), size + 1};
}

Result<std::int64_t> before_of(const Call& call) {
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  const auto text = call.target.parameter("before");
  if (!text) return before;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), before);
  if (error != std::errc() || end != text->data() + text->size() || before <= 0)
    return invalid_input("request.before", "before is the number of a kept evidence, as a list shows it", "before");
  return before;
}

json::object to_json(const verifier::PolicyInfo& policy) {
  return {{"target", policy.target},
          {"revision", policy.revision.text()},
          {"mode", to_string(policy.mode)},
          {"created_at", to_rfc3339(policy.created_at)},
          {"updated_at", to_rfc3339(policy.updated_at)}};
}

Result<json::object> to_json(const verifier::StoredPolicy& policy) {
  json::object object = to_json(policy.info);
  TRY(object["policy"], stored_json(policy.document, "a policy"));
  return object;
}

json::array new_findings(const attestation::AttestationResult& now, const attestation::AttestationResult& then) {
  json::array findings;
  for (const auto& finding : then.findings()) {
    const bool has_weight = finding.tier == Tier::kWarning || finding.tier == Tier::kContraindicated;
    if (has_weight && std::ranges::find(now.findings(), finding) == now.findings().end())
      findings.push_back(attestation::to_json(finding));
  }
  return findings;
}

json::object to_json(const verifier::Trial& trial) {
  json::object object{{"registration_id", trial.registration_id.text()},
                      {"standing", trial.standing ? json::value(*trial.standing) : json::value()}};
  if (!trial.gap.empty()) {
    object["gap"] = trial.gap;
    return object;
  }
  object["evidence"] = json::object{{"number", trial.evidence}, {"at", to_rfc3339(trial.at)}};
  object["verdict"] = to_string(verifier::verdict_of(trial));
  object["now"] = tried_layers(trial.now);
  object["then"] = tried_layers(trial.then);
  object["findings"] = new_findings(trial.now, trial.then);
  return object;
}

json::object to_json(const verifier::LedgerInfo& info, Timestamp now) {
  return {{"registration_id", info.registration_id.text()},
          {"overall", to_string(info.overall)},
          {"attested_at", to_rfc3339(info.attested_at)},
          {"next_due_at", to_rfc3339(info.next_due_at)},
          {"is_overdue", is_overdue(info.next_due_at, now)},
          {"passes", info.passes},
          {"policy", applied_json(info.policy)}};
}

Result<json::object> to_json(const verifier::Ledger& ledger, Timestamp now) {
  TRY(auto result, stored_json(ledger.result, "the result of a ledger"));
  json::object object{{"registration_id", ledger.registration_id.text()},
                      {"overall", to_string(ledger.overall)},
                      {"attested_at", to_rfc3339(ledger.attested_at)},
                      {"next_due_at", to_rfc3339(ledger.next_due_at)},
                      {"is_overdue", is_overdue(ledger.next_due_at, now)},
                      {"passes", ledger.passes},
                      {"policy", applied_json(ledger.policy)},
                      {"result", std::move(result)},
                      {"quote", quote_json(ledger.quote)},
                      {"boot_id", ledger.boot_id},
                      {"event_log_sha256", to_hex(ledger.event_log_sha256)}};
  object["null_name"] = ledger.null_name ? json::value(to_hex(*ledger.null_name)) : json::value();
  object["ima_entries"] = ledger.ima ? json::value(ledger.ima->entries) : json::value();
  return object;
}

json::object to_json(const verifier::BoundAk& ak) {
  return {{"name", to_hex(ak.ak_name)},
          {"public", to_base64(ak.ak_public)},
          {"ek_name", to_hex(ak.ek_name)},
          {"bound_at", to_rfc3339(ak.bound_at)}};
}

Result<json::object> to_json(const verifier::EvidenceInfo& info) {
  TRY(auto result, stored_json(info.result, "the result of a kept evidence"));
  return json::object{{"number", info.number},
                      {"at", to_rfc3339(info.at)},
                      {"why", to_string(info.why)},
                      {"result", std::move(result)}};
}

Result<json::object> to_json(const verifier::KeptEvidence& evidence) {
  TRY(auto result, stored_json(evidence.result, "the result of a kept evidence"));
  TRY(auto registers, stored_json(evidence.registers, "the registers of a kept evidence"));
  return json::object{{"number", evidence.number},
                      {"at", to_rfc3339(evidence.at)},
                      {"why", to_string(evidence.why)},
                      {"policy", applied_json(evidence.policy)},
                      {"result", std::move(result)},
                      {"ak_name", to_hex(evidence.ak_name)},
                      {"nonce", to_base64(evidence.nonce)},
                      {"quote", to_base64(evidence.quote)},
                      {"signature", to_base64(evidence.signature)},
                      {"registers", std::move(registers)},
                      {"event_log_sha256", to_hex(evidence.event_log_sha256)},
                      {"userspace_log", to_base64(evidence.userspace_log)},
                      {"ima", json::object{{"offset", evidence.ima_offset}, {"content", to_base64(evidence.ima)}}}};
}

}  // namespace warifu::front::api

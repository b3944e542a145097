#include "store/event_writer.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "webhooks/limits.h"
#include "webhooks/outbox.h"
#include "wire/json.h"

namespace warifu::store {
namespace {

namespace json = boost::json;

using attestation::Tier;

// Enough to see what it is about; `warifu attestation explain` has all.
constexpr std::size_t kFindingsMax = 10;
constexpr std::size_t kFindingTextMax = 500;
constexpr std::size_t kResultSizeMax = 16 * 1024 * 1024;

std::string subject_of(const RegistrationId& id) {
  return fmt::format("registration:{}", id.text());
}

bool is_bad(Tier tier) {
  return tier == Tier::kWarning || tier == Tier::kContraindicated;
}

// Between two characters.
std::string cut(std::string_view text) {
  if (text.size() <= kFindingTextMax) return std::string(text);
  std::size_t size = kFindingTextMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;
  return std::string(text.substr(0, size)) + "…";
}

json::object shortened(const json::object& finding) {
  json::object kept;
  for (const std::string_view name : {"layer", "tier", "code", "what", "where"}) {
    const auto* member = finding.if_contains(name);
    if (member != nullptr && member->is_string()) kept[name] = cut(member->get_string());
  }
  return kept;
}

// The layers, and of a bad result the findings that made it so. A result is our own JSON; one that cannot be read must
// not keep back that it is bad.
void add_result(json::object& data, const verifier::Ledger& ledger) {
  const auto result = wire::parse_json(ledger.result, {.max_bytes = kResultSizeMax});
  if (!result || !result->is_object()) return;
  if (const auto* layers = result->get_object().if_contains("layers")) data["layers"] = *layers;
  const auto* findings = result->get_object().if_contains("findings");
  if (!is_bad(ledger.overall) || findings == nullptr || !findings->is_array()) return;
  json::array kept;
  for (const auto& finding : findings->get_array()) {
    if (!finding.is_object() || kept.size() == kFindingsMax) continue;
    const auto* tier = finding.get_object().if_contains("tier");
    if (tier != nullptr && *tier == json::value(to_string(ledger.overall)))
      kept.push_back(shortened(finding.get_object()));
  }
  data["findings"] = std::move(kept);
}

}  // namespace

Status EventWriter::alert_raised(const std::optional<provisioning::Alert>& before, const provisioning::Alert& alert) {
  const bool goes_on = before && !before->acknowledged_at && alert.last_at - before->last_at < webhooks::kAlertQuiet;
  if (goes_on) return {};
  TRY(const auto takers, webhooks_.list_takers(alert.scope, webhooks::kAlertRaised));
  if (takers.empty()) return {};
  return webhooks::append_for(webhooks_, entropy_, takers,
                              {.scope = alert.scope,
                               .type = webhooks::kAlertRaised,
                               .subject = subject_of(alert.registration_id),
                               .data = {{"registration_id", alert.registration_id.text()},
                                        {"kind", alert.kind},
                                        {"about", alert.subject},
                                        {"detail", alert.detail},
                                        {"count", before ? before->count + 1 : 1},
                                        {"first_at", to_rfc3339(before ? before->first_at : alert.first_at)}}},
                              alert.last_at);
}

Status EventWriter::approval_put(const std::optional<provisioning::Approval>& before,
                                 const provisioning::Approval& approval) {
  if (approval.approved_at) return {};
  // Keys of a TPM that nobody vouches for are free: with another SRK it is no other wish to be told of.
  const bool waits_already = before && !before->approved_at && before->ek_name == approval.ek_name &&
                             (before->srk_name == approval.srk_name || approval.is_uncertified);
  if (waits_already) return {};
  TRY(const auto takers, webhooks_.list_takers(approval.scope, webhooks::kApprovalWaiting));
  if (takers.empty()) return {};
  return webhooks::append_for(webhooks_, entropy_, takers,
                              {.scope = approval.scope,
                               .type = webhooks::kApprovalWaiting,
                               .subject = subject_of(approval.registration_id),
                               .data = {{"registration_id", approval.registration_id.text()},
                                        {"ek_name", to_hex(approval.ek_name)},
                                        {"srk_name", to_hex(approval.srk_name)}}},
                              approval.requested_at);
}

Status EventWriter::attestation_recorded(std::optional<Tier> before, const verifier::Ledger& ledger) {
  const bool is_news = before ? *before != ledger.overall : is_bad(ledger.overall);
  if (!is_news) return {};
  TRY(const auto takers, webhooks_.list_takers(ledger.scope, webhooks::kAttestationChanged));
  if (takers.empty()) return {};  // a result may be long: it is parsed for somebody only
  json::object data{{"registration_id", ledger.registration_id.text()},
                    {"overall", to_string(ledger.overall)},
                    {"before", before ? json::value(to_string(*before)) : json::value()},
                    {"policy", ledger.policy ? json::value(ledger.policy->target) : json::value()}};
  add_result(data, ledger);
  return webhooks::append_for(webhooks_, entropy_, takers,
                              {.scope = ledger.scope,
                               .type = webhooks::kAttestationChanged,
                               .subject = subject_of(ledger.registration_id),
                               .data = std::move(data)},
                              ledger.attested_at);
}

}  // namespace warifu::store

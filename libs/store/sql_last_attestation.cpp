// What a verifier knows, in the words of who assigns devices.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "store/sql_provisioning.h"
#include "store/sql_verifier.h"
#include "verifier/policy_cache.h"
#include "wire/json.h"

namespace warifu::store {
namespace {

using provisioning::AttestationTier;
using provisioning::LastAttestation;

// Enough to see what it is about: `warifu attestation explain` has all of them.
constexpr std::size_t kFindingsShownMax = 3;
constexpr std::size_t kResultSizeMax = std::size_t{4} * 1024 * 1024;

AttestationTier tier_of(attestation::Tier tier) {
  switch (tier) {
    case attestation::Tier::kAffirming:
      return AttestationTier::kAffirming;
    case attestation::Tier::kWarning:
      return AttestationTier::kWarning;
    case attestation::Tier::kContraindicated:
      return AttestationTier::kContraindicated;
    case attestation::Tier::kNone:
      break;
  }
  return AttestationTier::kNone;
}

std::vector<std::string> layers_of(const wire::JsonFields& result, std::string_view tier) {
  std::vector<std::string> names;
  const auto layers = result.optional_object("layers");
  if (!layers || !*layers) return names;
  for (const auto layer : attestation::kLayers) {
    const auto value = (*layers)->optional_string(to_string(layer));
    if (value && *value == tier) names.emplace_back(to_string(layer));
  }
  return names;
}

std::vector<std::string> findings_of(const wire::JsonFields& result, std::string_view tier) {
  std::vector<std::string> texts;
  const auto findings = result.optional_array("findings");
  if (!findings || *findings == nullptr) return texts;
  for (const auto& finding : **findings) {
    const auto fields = wire::JsonFields::of(finding);
    if (!fields || texts.size() == kFindingsShownMax) continue;
    const auto its_tier = fields->optional_string("tier");
    if (!its_tier || *its_tier != tier) continue;
    const auto code = fields->optional_string("code");
    const auto what = fields->optional_string("what");
    if (code && what) texts.push_back(fmt::format("{} [{}]", what->value_or(""), code->value_or("")));
  }
  return texts;
}

// The layers that are as bad as the whole, and why; for people, so what cannot be read is left out.
std::string why(const wire::JsonFields& result, attestation::Tier overall) {
  const std::string_view tier = to_string(overall);
  if (overall == attestation::Tier::kNone)
    return fmt::format("nothing is known of {}", fmt::join(layers_of(result, tier), ", "));
  return fmt::format("{} {}: {}", fmt::join(layers_of(result, tier), ", "), tier,
                     fmt::join(findings_of(result, tier), "; "));
}

// The layer of configuration affirms when, and only when, an enforced policy judged (verifier::add_policy()), and
// nothing that contradicts can be missing from `overall`.
bool has_enforced_policy(const wire::JsonFields& result) {
  const auto affirming = layers_of(result, to_string(attestation::Tier::kAffirming));
  return std::ranges::find(affirming, to_string(attestation::Layer::kConfiguration)) != affirming.end();
}

// What the stored result says beyond its overall tier. One that affirms need not be read: it can be large, and every
// layer of it affirms.
void read_result(const verifier::Ledger& ledger, LastAttestation::Judgement& judgement) {
  judgement.is_by_enforced_policy = ledger.overall == attestation::Tier::kAffirming;
  if (judgement.is_by_enforced_policy) return;
  const auto value = wire::parse_json(ledger.result, {.max_bytes = kResultSizeMax});
  if (!value || !value->is_object()) return;
  const wire::JsonFields result(value->get_object());
  judgement.is_by_enforced_policy = has_enforced_policy(result);
  judgement.findings = why(result, ledger.overall);
}

// The policy that stands for a device now is the one, in the revision, that judged.
Result<bool> stands_still(SqlVerifierRecords& records, const verifier::Ledger& ledger,
                          const std::optional<GroupId>& group) {
  for (const std::string& target : verifier::policy_targets(ledger.registration_id, group)) {
    TRY(const auto policy, records.find_policy_info(ledger.scope, target));
    if (policy) return ledger.policy && ledger.policy->target == target && ledger.policy->revision == policy->revision;
  }
  return !ledger.policy;
}

}  // namespace

Result<std::optional<LastAttestation>> SqlProvisioningRecords::find_last_attestation(
    const ScopeId& scope, const RegistrationId& id, const std::optional<GroupId>& group) {
  SqlVerifierRecords records(connection_);
  TRY(auto ak, records.find_ak(scope, id));
  if (!ak) return std::optional<LastAttestation>();
  LastAttestation last{.ek_name = std::move(ak->ek_name)};
  TRY(const auto ledger, records.find_ledger(scope, id));
  if (!ledger) return std::optional(std::move(last));
  TRY(const bool is_by_standing_policy, stands_still(records, *ledger, group));
  last.judgement = LastAttestation::Judgement{.is_of_bound_ak = ledger->ak_name == ak->ak_name,
                                              .is_by_standing_policy = is_by_standing_policy,
                                              .overall = tier_of(ledger->overall),
                                              .attested_at = ledger->attested_at,
                                              .next_due_at = ledger->next_due_at};
  read_result(*ledger, *last.judgement);
  return std::optional(std::move(last));
}

}  // namespace warifu::store

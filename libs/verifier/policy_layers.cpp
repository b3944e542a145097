#include "verifier/policy_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace warifu::verifier {
namespace {

using attestation::AttestationResult;
using attestation::Finding;
using attestation::Layer;
using attestation::Tier;

constexpr std::array<std::string_view, 22> kOfPolicies = {
    "hardware.ek-certificate-required",
    "hardware.class",
    "hardware.manufacturer",
    "hardware.tpm-flaw",
    "hardware.tpm-flaw-said",
    "hardware.flaws-unknown",
    "hardware.flaws-not-judged",
    "hardware.required",
    "quote.register-unquoted",
    "boot.required",
    "boot.policy",
    "boot.quirk",
    "ima.policy",
    "ima.required",
    "ima.file-changed",
    "ima.file-unknown",
    "ima.file-withdrawn",
    "ima.file-retired",
    "ima.file-other-path",
    "ima.violation",
    "ima.file-not-signed",
    "ima.entry-unreadable",
};

bool is_of_policy(std::string_view code) {
  return std::ranges::find(kOfPolicies, code) != kOfPolicies.end();
}

}  // namespace

void add_policy(const StandingPolicy* policy, AttestationResult& result) {
  const auto add = [&](Tier tier, std::string_view code, std::string what, std::string where = {}) {
    result.add({Layer::kConfiguration, tier, code, std::move(what), std::move(where)});
  };
  if (policy == nullptr)
    return add(Tier::kNone, "policy.none",
               "no policy stands for this device: nothing was compared with what it should be");
  const auto where = fmt::format("{}, revision {}", policy->info.target, policy->info.revision.text());
  const auto& demands = *policy->demands;
  const bool demands_hardware = demands.hardware && demands.hardware->demands_something();
  if (demands.registers.empty() && !demands.requires_boot() && !demands.ima && !demands_hardware)
    return add(Tier::kNone, "policy.empty", "the policy that stands for this device demands nothing", where);
  if (policy->info.mode == PolicyMode::kReview)
    return add(Tier::kNone, "policy.review", "judged by a policy that is under review", where);
  add(Tier::kAffirming, "policy.enforced", "judged by a policy that is enforced", where);
}

AttestationResult weighed(const AttestationResult& result, const PolicyInfo* policy) {
  if (policy == nullptr || policy->mode == PolicyMode::kEnforce) return result;
  AttestationResult light;
  for (Finding finding : result.findings()) {
    if (is_of_policy(finding.code)) finding.tier = std::min(finding.tier, Tier::kWarning);
    light.add(std::move(finding));
  }
  return light;
}

}  // namespace warifu::verifier

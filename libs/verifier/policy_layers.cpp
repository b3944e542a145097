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

constexpr std::array<std::string_view, 13> kOfPolicies = {
    "quote.register-unquoted",
    "boot.required",
    "boot.policy",
    "boot.quirk",
    "ima.policy",
    "ima.required",
    "ima.file-changed",
    "ima.file-unknown",
    "ima.file-withdrawn",
    "ima.file-other-path",
    "ima.violation",
    "ima.file-not-signed",
    "ima.entry-unreadable",
};

bool is_of_policy(std::string_view code) {
  return code == "ima.missing" || std::ranges::find(kOfPolicies, code) != kOfPolicies.end();
}

}  // namespace

void add_policy(const StoredPolicy* policy, AttestationResult& result) {
  if (policy == nullptr) {
    result.add({Layer::kConfiguration, Tier::kNone, "policy.none",
                "no policy stands for this device: nothing was compared with what it should be"});
    return;
  }
  const bool is_enforced = policy->mode == PolicyMode::kEnforce;
  result.add({Layer::kConfiguration, is_enforced ? Tier::kAffirming : Tier::kNone,
              is_enforced ? "policy.enforced" : "policy.review",
              is_enforced ? "judged by a policy that is enforced" : "judged by a policy that is under review",
              fmt::format("{}, revision {}", policy->target, policy->revision.text())});
}

AttestationResult weighed(const AttestationResult& result, const StoredPolicy* policy) {
  if (policy == nullptr || policy->mode == PolicyMode::kEnforce) return result;
  AttestationResult light;
  for (Finding finding : result.findings()) {
    if (is_of_policy(finding.code)) finding.tier = std::min(finding.tier, Tier::kWarning);
    light.add(std::move(finding));
  }
  return light;
}

}  // namespace warifu::verifier

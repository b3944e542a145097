#include "attestation/appraisal/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace warifu::attestation {

std::string_view to_string(Layer layer) {
  switch (layer) {
    case Layer::kIdentity:
      return "identity";
    case Layer::kHardware:
      return "hardware";
    case Layer::kBoot:
      return "boot";
    case Layer::kConfiguration:
      return "configuration";
    case Layer::kRuntime:
      return "runtime";
    case Layer::kFreshness:
      return "freshness";
  }
  std::abort();
}

std::string_view to_string(Tier tier) {
  switch (tier) {
    case Tier::kNone:
      return "none";
    case Tier::kAffirming:
      return "affirming";
    case Tier::kWarning:
      return "warning";
    case Tier::kContraindicated:
      return "contraindicated";
  }
  std::abort();
}

Result<Tier> parse_tier(std::string_view text) {
  for (const Tier tier : {Tier::kNone, Tier::kAffirming, Tier::kWarning, Tier::kContraindicated})
    if (text == to_string(tier)) return tier;
  return invalid_input("tier.name", fmt::format("\"{}\" is none, affirming, warning or contraindicated", text));
}

void AttestationResult::add(Finding finding) {
  Tier& tier = tiers_[static_cast<std::size_t>(finding.layer)];
  tier = std::max(tier, finding.tier);
  findings_.push_back(std::move(finding));
}

Tier AttestationResult::overall() const {
  const Tier worst = std::ranges::max(tiers_);
  if (worst != Tier::kAffirming) return worst;
  return std::ranges::min(tiers_);
}

}  // namespace warifu::attestation

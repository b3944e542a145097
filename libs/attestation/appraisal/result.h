#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu::attestation {

// What an attestation says about a device, layer by layer (after the trustworthiness vector of AR4SI).
enum class Layer : std::uint8_t { kIdentity, kHardware, kBoot, kConfiguration, kRuntime, kFreshness };
inline constexpr std::array kLayers = {Layer::kIdentity,      Layer::kHardware, Layer::kBoot,
                                       Layer::kConfiguration, Layer::kRuntime,  Layer::kFreshness};
std::string_view to_string(Layer layer);

// From nothing known to the worst. kNone is what was not appraised, and is never taken for good.
enum class Tier : std::uint8_t { kNone, kAffirming, kWarning, kContraindicated };
std::string_view to_string(Tier tier);
// "tier.name" (kInvalidInput).
Result<Tier> parse_tier(std::string_view text);

// What was found, where, what was expected and what came; the last three may be empty. Of kNone: told, and without
// weight. `allowed_by`: the ID of the waiver or quirk without which it would weigh more.
struct Finding {
  Layer layer;
  Tier tier;
  std::string_view code;  // "quote.nonce"
  std::string what;
  std::string where = {};
  std::string expected = {};
  std::string came = {};
  std::string allowed_by = {};
  friend bool operator==(const Finding&, const Finding&) = default;
};

// Each layer has the worst of its findings.
class AttestationResult {
 public:
  void add(Finding finding);
  Tier of(Layer layer) const { return tiers_[static_cast<std::size_t>(layer)]; }
  // Contraindicated or warning if a layer is; else none if a layer is; affirming only when all are.
  Tier overall() const;
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  std::array<Tier, kLayers.size()> tiers_{};
  std::vector<Finding> findings_;
};

}  // namespace warifu::attestation

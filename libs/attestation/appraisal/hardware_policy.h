#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "endorsement/ek/vendor.h"
#include "endorsement/flaws/quirks.h"
#include "wire/json.h"

namespace warifu::attestation {

// What something that is known of a TPM weighs. kIgnore: it is told all the same.
enum class FlawWeight : std::uint8_t { kIgnore, kWarn, kFail };

// What a policy wants of a TPM ("hardware" in docs/formats/evidence-policy.md). The default is what counts where no
// policy says anything.
struct HardwarePolicy {
  FlawWeight flaws = FlawWeight::kWarn;             // those that affect it
  FlawWeight unknown_flaws = FlawWeight::kIgnore;   // those of which nobody knows
  std::vector<std::string> accepted_flaws = {};     // IDs
  std::vector<endorsement::TpmClass> classes = {};  // none: any
  std::vector<endorsement::VendorId> manufacturers = {};
  bool requires_certificate = false;

  bool accepts(const std::string& flaw) const;
  // Whether some TPM would not meet it.
  bool demands_something() const;
};

// kInvalidInput with the path: "policy.hardware", and the codes of wire::JsonFields.
Result<HardwarePolicy> parse_hardware_policy(const wire::JsonFields& fields);
// The machine that the operator says these devices are: {"manufacturer", "product", "firmware_version"?}.
// "policy.machine".
Result<endorsement::MachineMatch> parse_machine(const wire::JsonFields& fields);

}  // namespace warifu::attestation

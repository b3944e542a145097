#include "attestation/appraisal/boot_policy.h"

#include <algorithm>

namespace warifu::attestation {
namespace {

using endorsement::FirmwareQuirk;
using measured_boot::Claims;

bool is_true(const std::optional<measured_boot::Proved<bool>>& claim) {
  return claim && **claim;
}

// Nothing of PCR 7 is left that could be another event, so what is not among its findings did not happen.
bool is_secure_boot_known(const Claims& claims) {
  return claims.secure_boot.enabled.has_value();
}

bool always(const Claims&) {
  return true;
}

}  // namespace

const std::vector<BootRequirement>& boot_requirements() {
  static const std::vector<BootRequirement> all = {
      {"secure-boot", [](const Claims& claims) { return is_true(claims.secure_boot.enabled); }},
      {"authorities-in-db",
       [](const Claims& claims) { return claims.authorities.complete() != nullptr; },
       {"authority."}},
      {"boot-loader",
       [](const Claims& claims) { return claims.images.complete() != nullptr && !claims.images.found().empty(); }},
      {"kernel", [](const Claims& claims) { return claims.kernel != measured_boot::KernelEvidence::kNone; }},
      {"kernel-command-line", [](const Claims& claims) { return claims.kernel_command_line.has_value(); }},
      {"sbat-level", [](const Claims& claims) { return claims.sbat_level.has_value(); }},
      {"separators", always, {"separator."}, FirmwareQuirk::kSeparatorMissing, "separator.missing"},
      {"exit-boot-services",
       always,
       {"exit-boot-services."},
       FirmwareQuirk::kExitBootServicesNotLogged,
       "exit-boot-services.missing"},
      {"no-firmware-debugging", is_secure_boot_known, {"firmware.debug-mode"}},
      {"dma-protection",
       is_secure_boot_known,
       {"dma-protection."},
       FirmwareQuirk::kDmaProtectionActionEvent,
       "dma-protection.disabled"},
  };
  return all;
}

const BootRequirement* find_boot_requirement(std::string_view name) {
  const auto found = std::ranges::find(boot_requirements(), name, &BootRequirement::name);
  return found == boot_requirements().end() ? nullptr : &*found;
}

}  // namespace warifu::attestation

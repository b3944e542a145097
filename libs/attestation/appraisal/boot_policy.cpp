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

using measured_boot::windows::Flag;
using measured_boot::windows::NxPolicy;
using measured_boot::windows::WindowsClaims;

// A requirement of Windows: nothing of another system meets it.
template <bool (*kIsProved)(const WindowsClaims&)>
bool of_windows(const Claims& claims) {
  return claims.windows && kIsProved(*claims.windows);
}

bool is_off(const WindowsClaims& windows, Flag flag) {
  return windows.of(flag) && !**windows.of(flag);
}

bool has_code_integrity(const WindowsClaims& windows) {
  return is_true(windows.of(Flag::kCodeIntegrity)) && is_off(windows, Flag::kTestSigning);
}

bool has_no_debugging(const WindowsClaims& windows) {
  const auto& hypervisor = windows.of(Flag::kHypervisorDebugging);  // told only where there is one
  return is_off(windows, Flag::kBootDebugging) && is_off(windows, Flag::kKernelDebugging) && windows.is_complete &&
         (!hypervisor || !**hypervisor);
}

bool is_normal_mode(const WindowsClaims& windows) {
  return is_off(windows, Flag::kSafeMode) && is_off(windows, Flag::kWinPe);
}

bool has_execution_prevention(const WindowsClaims& windows) {
  return windows.nx_policy && (**windows.nx_policy == NxPolicy::kOptOut || **windows.nx_policy == NxPolicy::kAlwaysOn);
}

bool has_vbs(const WindowsClaims& windows) {
  return windows.vsm_launch_type && **windows.vsm_launch_type != 0 && windows.vsm_identity_key.has_value();
}

bool has_hvci(const WindowsClaims& windows) {
  return has_vbs(windows) && windows.hvci_policy && **windows.hvci_policy != 0;
}

bool has_early_anti_malware(const WindowsClaims& windows) {
  return windows.is_complete && !windows.elam_drivers.empty();
}

// The volume that was started from is the first one; nobody's hand was needed for any.
bool is_unlocked_by_tpm(const WindowsClaims& windows) {
  return windows.is_complete && !windows.unlocks.empty() && windows.unlocks.front()->by_tpm() &&
         std::ranges::none_of(windows.unlocks, [](const auto& unlock) { return unlock->by_hand(); });
}

}  // namespace

const std::vector<BootRequirement>& boot_requirements() {
  static const std::vector<BootRequirement> all = {
      {"secure-boot", [](const Claims& claims) { return is_true(claims.secure_boot.enabled); }},
      {"authorities-in-db",
       [](const Claims& claims) { return claims.authorities.complete() != nullptr; },
       {"authority."}},
      {"boot-loader",
       [](const Claims& claims) { return claims.images.complete() != nullptr && !claims.images.found().empty(); },
       {},
       {},
       {},
       "boot-loader."},
      {"kernel",
       [](const Claims& claims) { return claims.kernel != measured_boot::KernelEvidence::kNone; },
       {},
       {},
       {},
       "kernel.not-measured"},
      {"kernel-command-line",
       [](const Claims& claims) { return claims.kernel_command_line.has_value(); },
       {},
       {},
       {},
       "kernel.command-line-"},
      {"sbat-level", [](const Claims& claims) { return claims.sbat_level.has_value(); }, {}, {}, {}, "sbat-level."},
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
      {"windows-code-integrity", of_windows<has_code_integrity>},
      {"windows-no-debugging", of_windows<has_no_debugging>},
      {"windows-normal-mode", of_windows<is_normal_mode>},
      {"windows-dep", of_windows<has_execution_prevention>},
      {"windows-vbs", of_windows<has_vbs>},
      {"windows-hvci", of_windows<has_hvci>},
      {"windows-elam", of_windows<has_early_anti_malware>},
      {"windows-bitlocker-tpm", of_windows<is_unlocked_by_tpm>},
  };
  return all;
}

const BootRequirement* find_boot_requirement(std::string_view name) {
  const auto found = std::ranges::find(boot_requirements(), name, &BootRequirement::name);
  return found == boot_requirements().end() ? nullptr : &*found;
}

}  // namespace warifu::attestation

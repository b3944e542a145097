#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measured_boot/claims/measured_list.h"
#include "measured_boot/event_log/proof.h"

// What Windows' boot manager and loaders measured into PCR 12 to 14 before they ended each with a separator ("WBCL").
// All of an event is proved by one digest. It is worth as much as who measured it: the images in PCR 4 say who ran, and
// another loader can measure the same.
namespace warifu::measured_boot::windows {

enum class Flag : std::uint8_t {
  kBootDebugging,
  kKernelDebugging,
  kHypervisorDebugging,
  kCodeIntegrity,
  kTestSigning,
  kFlightSigning,
  kSafeMode,
  kWinPe,
  kBootDmaProtection,
  kVsmRequired,
  kVbsSecureBootRequired,
  kVbsIommuRequired,
  kVbsMandatory,
};
inline constexpr std::size_t kFlagCount = 13;
// "boot-debugging"
std::string_view to_string(Flag flag);

// BcdOSLoader_NxPolicy (Boot Configuration Data reference): data execution prevention of programs.
enum class NxPolicy : std::uint8_t { kOptIn, kOptOut, kAlwaysOff, kAlwaysOn };
std::string_view to_string(NxPolicy policy);

// By what a volume of BitLocker was unlocked: FVEB_UNLOCK_FLAG_… of wbcl.h. None: it was not encrypted.
struct BitLockerUnlock {
  std::uint32_t flags = 0;

  bool by_tpm() const { return (flags & 0x04) != 0; }
  // Recovery, or a key or passphrase from outside: by whoever stood before the machine.
  bool by_hand() const { return (flags & (0x20 | 0x40 | 0x80)) != 0; }
};
std::string to_string(const BitLockerUnlock& unlock);  // "tpm, pin"; "none"

// A PE image that a loader loaded: the OS loader, the kernel, drivers that are started at boot. PCR 12 has hash and
// base, PCR 13 hash, path and signer of the same.
struct Module {
  ByteView hash;  // Authenticode
  std::string path;
  std::string issuer;
  std::string publisher;
  std::optional<bool> is_validated;
};

// Early launch anti-malware: what its driver is configured by, as hashes.
struct ElamDriver {
  std::string name;
  ByteView measured;
  ByteView policy;
  ByteView configuration;
};

// SIPAEVENT_SI_POLICY_PAYLOAD: a policy of code integrity that was applied.
struct CodeIntegrityPolicy {
  std::uint64_t version = 0;
  std::string name;
  ByteView digest;
};

// SIPAEVENT_SBCP_INFO_PAYLOAD_V1: a custom policy of Secure Boot.
struct SecureBootCustomPolicy {
  std::uint32_t options = 0;
  std::uint32_t signers = 0;
  ByteView digest;
};

struct WindowsClaims {
  // nullopt: not told. Where loaders disagree, the worse counts; one that is good is believed only if is_complete.
  std::array<std::optional<Proved<bool>>, kFlagCount> flags;
  const std::optional<Proved<bool>>& of(Flag flag) const { return flags[static_cast<std::size_t>(flag)]; }

  // Only if is_complete, and if all that tell it agree.
  std::optional<Proved<NxPolicy>> nx_policy;
  std::optional<Proved<std::uint64_t>> hypervisor_launch_type;  // 0: it was not launched
  std::optional<Proved<std::uint64_t>> vsm_launch_type;         // virtualization-based security; 0: it was not
  std::optional<Proved<std::uint64_t>> hvci_policy;             // 0: none
  std::optional<Proved<ByteView>> vsm_identity_key;             // it was launched, and has a key
  std::optional<Proved<std::uint64_t>> boot_counter;
  std::vector<Proved<BitLockerUnlock>> unlocks;  // PCR 12
  std::vector<Proved<ElamDriver>> elam_drivers;  // PCR 12
  std::vector<Proved<CodeIntegrityPolicy>> policies;
  std::vector<Proved<SecureBootCustomPolicy>> custom_policies;
  MeasuredList<Proved<Module>> modules;
  MeasuredList<Proved<ByteView>> authorities;  // PCR 14: subjectPublicKeyInfo of whose signatures were taken

  // Of each of PCR 12 to 14 everything before its separator is explained.
  bool is_complete = false;
};

}  // namespace warifu::measured_boot::windows

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "endorsement/flaws/quirks.h"
#include "measured_boot/claims/claims.h"
#include "measured_boot/registers.h"

// What a boot must show. A log may replay and still lack what matters: a kernel that nobody measured is in none.
namespace warifu::attestation {

// Something that a boot log must prove, by its name in a policy.
struct BootRequirement {
  std::string_view name;  // "secure-boot"
  bool (*is_proved)(const measured_boot::Claims&);
  // Findings of the claims that contradict it, by the beginning of their codes.
  std::vector<std::string_view> spoilt_by = {};
  // A quirk under which the one code does not.
  std::optional<endorsement::FirmwareQuirk> quirk = {};
  std::string_view excused = {};
  // Findings that say why it is not proved, by the beginning of their codes. Their words are ours, never the log's.
  std::string_view told_by = {};
};
// nullptr: there is none of that name.
const BootRequirement* find_boot_requirement(std::string_view name);
const std::vector<BootRequirement>& boot_requirements();

// A measurement that must be in a log and in the register that a quote confirms.
struct RequiredEvent {
  std::string name;  // for people
  measured_boot::RegisterIndex pcr = 0;
  std::optional<crypto::Digest> digest;  // in its bank
  std::optional<std::string> text;       // or whose UTF-8 was hashed, without a NUL, in any bank
};

struct BootPolicy {
  std::vector<const BootRequirement*> claims;
  std::vector<RequiredEvent> events;
};

}  // namespace warifu::attestation

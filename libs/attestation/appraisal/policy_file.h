#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "attestation/appraisal/boot_policy.h"
#include "attestation/appraisal/hardware_policy.h"
#include "attestation/quote/quote.h"
#include "base/result.h"
#include "measured_boot/ima/policy_json.h"

namespace warifu::attestation {

// Of several 100,000 files, with a digest each.
inline constexpr std::size_t kPolicySizeMax = 256 * 1024 * 1024;

// warifu.evidence-policy.v1 (docs/formats/evidence-policy.md): what a TPM must be, a quote must cover, a boot must show
// and an IMA list may hold.
struct EvidencePolicy {
  std::vector<RegisterPlace> registers;
  BootPolicy boot;
  std::optional<measured_boot::ima::PolicyFile> ima;
  std::optional<HardwarePolicy> hardware = {};
  // What these devices are, by the operator's word: whose quirks and waivers apply.
  std::optional<endorsement::MachineMatch> machine = {};

  const HardwarePolicy* hardware_policy() const { return hardware ? &*hardware : nullptr; }
  bool requires_boot() const { return !boot.claims.empty() || !boot.events.empty(); }
};

// kInvalidInput with the path: "policy.format", "policy.register", "policy.claim", "policy.event", and the codes of
// ima::parse_policy(), parse_hardware_policy(), parse_machine() and wire::JsonFields.
Result<EvidencePolicy> parse_evidence_policy(std::string_view json);

// Those that the logs need, and those that the policy asks for; nullptr: no policy.
std::vector<RegisterPlace> registers_to_quote(const EvidencePolicy* policy);

// "sha256:0-7,11": the registers of one bank. "policy.register" (kInvalidInput).
Result<std::vector<RegisterPlace>> parse_register_places(std::string_view text);

}  // namespace warifu::attestation

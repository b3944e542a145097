#include "attestation/appraisal/boot_requirements.h"

#include <fmt/format.h>

#include <algorithm>

#include "attestation/appraisal/places.h"
#include "measured_boot/event_log/proof.h"
#include "measured_boot/userspace_log/proof.h"

namespace warifu::attestation {
namespace {

using measured_boot::ClaimFinding;
using measured_boot::Claims;

bool is_spoilt_by(const BootRequirement& requirement, const ClaimFinding& finding) {
  return std::ranges::any_of(requirement.spoilt_by,
                             [&](std::string_view start) { return finding.code.starts_with(start); });
}

// The quirk, if it excuses all that spoils the claims.
const endorsement::QuirkEntry* excuse(const BootRequirement& requirement, const Claims& claims,
                                      const Allowances& allowances) {
  const bool is_excused = requirement.quirk && requirement.is_proved(claims) &&
                          std::ranges::all_of(claims.findings, [&](const ClaimFinding& finding) {
                            return !is_spoilt_by(requirement, finding) || finding.code == requirement.excused;
                          });
  return is_excused ? allowances.find(*requirement.quirk) : nullptr;
}

bool tells_why(const BootRequirement& requirement, const ClaimFinding& finding) {
  return !requirement.told_by.empty() && finding.code.starts_with(requirement.told_by);
}

// What the claims say about why.
std::string reasons(const BootRequirement& requirement, const Claims& claims) {
  std::string text;
  const auto add = [&](std::string_view reason) { text += fmt::format("{}{}", text.empty() ? "" : ", ", reason); };
  for (const ClaimFinding& finding : claims.findings) {
    if (tells_why(requirement, finding)) add(fmt::format("{} [{}]", finding.detail, finding.code));
    if (is_spoilt_by(requirement, finding)) add(finding.code);
  }
  return text.empty() ? "not proved" : text;
}

// Whether the policy may still be affirmed.
bool check_claim(const BootRequirement& requirement, const Claims& claims, const Allowances& allowances,
                 AttestationResult& result) {
  const bool is_spoilt = std::ranges::any_of(
      claims.findings, [&](const ClaimFinding& finding) { return is_spoilt_by(requirement, finding); });
  if (requirement.is_proved(claims) && !is_spoilt) return true;
  const auto* quirk = excuse(requirement, claims, allowances);
  result.add(
      {Layer::kBoot, quirk == nullptr ? Tier::kContraindicated : Tier::kWarning,
       quirk == nullptr ? "boot.required" : "boot.quirk",
       quirk == nullptr ? fmt::format("the policy requires \"{}\", and the log does not prove it", requirement.name)
                        : fmt::format("the log does not prove it; known of this model ({})", quirk->source),
       std::string(requirement.name), "proved", reasons(requirement, claims), quirk == nullptr ? "" : quirk->id});
  return quirk != nullptr;
}

bool is_measured_in(const RequiredEvent& event, const ExplainedLogs& logs, const ExplainedRegisters& bank) {
  if (event.digest && event.digest->algorithm() != bank.bank) return false;
  const crypto::Digest wanted = event.digest ? *event.digest : crypto::digest(bank.bank, {as_bytes(*event.text)});
  const auto is_wanted = [&](const std::optional<measured_boot::Proved<crypto::Digest>>& digest) {
    return digest && digest->register_index() == event.pcr && **digest == wanted;
  };
  const measured_boot::Prover prover(logs.log, bank.bank, bank.confirmed);
  if (std::ranges::any_of(logs.log.events(), [&](const auto& one) { return is_wanted(prover.digest(one)); }))
    return true;
  if (logs.userspace == nullptr) return false;
  const measured_boot::UserspaceProver later(*logs.userspace, bank.bank, bank.confirmed);
  return std::ranges::any_of(logs.userspace->records, [&](const auto& one) { return is_wanted(later.digest(one)); });
}

bool check_event(const RequiredEvent& event, const ExplainedLogs& logs, AttestationResult& result) {
  const auto is_in = [&](const ExplainedRegisters& bank) {
    // What SHA-1 alone proves is worth less than a policy asks, unless the policy itself asks by SHA-1.
    const bool is_weak = bank.bank == crypto::HashAlgorithm::kSha1 && !event.digest && logs.banks.size() > 1;
    return !is_weak && is_measured_in(event, logs, bank);
  };
  if (std::ranges::any_of(logs.banks, is_in)) return true;
  result.add({Layer::kBoot, Tier::kContraindicated, "boot.required",
              fmt::format("the policy requires the measurement \"{}\", and no log proves it", event.name),
              fmt::format("PCR {}", event.pcr), event.digest ? to_hex(event.digest->bytes()) : *event.text});
  return false;
}

std::size_t count_of(const BootPolicy& policy) {
  return policy.claims.size() + policy.events.size();
}

}  // namespace

void check_requirements(const BootPolicy& policy, const ExplainedLogs& logs, const Allowances& allowances,
                        AttestationResult& result) {
  bool is_met = true;
  for (const BootRequirement* requirement : policy.claims)
    is_met = check_claim(*requirement, logs.claims, allowances, result) && is_met;
  for (const RequiredEvent& event : policy.events)
    is_met = check_event(event, logs, result) && is_met;
  if (!is_met || count_of(policy) == 0) return;
  result.add({Layer::kBoot, Tier::kAffirming, "boot.policy",
              fmt::format("all that the policy requires is proved ({})", count_of(policy)),
              std::string(measured_boot::bank_name(logs.claims.bank))});
}

void add_missing_log(const BootPolicy& policy, AttestationResult& result) {
  if (count_of(policy) == 0) return;
  result.add({Layer::kBoot, Tier::kContraindicated, "boot.required",
              "the policy requires what only a boot log proves, and none came", "boot log"});
}

}  // namespace warifu::attestation

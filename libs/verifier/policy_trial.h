#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "attestation/appraisal/hardware_appraisal.h"
#include "attestation/appraisal/result.h"
#include "endorsement/flaws/quirks.h"
#include "verifier/device.h"
#include "verifier/policy_cache.h"
#include "verifier/records.h"

namespace warifu::verifier {

// What a policy would have made of evidence that is kept. Both results are computed from the same evidence in the same
// way, so that they differ by the policies, and the times at which these judge, alone. What a policy does not weigh is
// in neither: past counters, the nonce.
struct Trial {
  RegistrationId registration_id;
  // Why there is nothing to judge: "trial.no-evidence" (none whose IMA list is whole), "trial.ak-changed" (it is of an
  // earlier AK), "trial.no-event-log" (its boot log was not kept, as it did not explain the registers),
  // "trial.registers-not-quoted" (the policy demands registers that no quote of it covers yet).
  std::string_view gap = {};
  std::int64_t evidence = 0;                 // its number
  Timestamp at = {};                         // when it was taken
  std::optional<std::string> standing = {};  // target of the policy of today
  attestation::AttestationResult now = {};
  attestation::AttestationResult then = {};
  std::size_t size = 0;  // bytes that were judged
};

enum class TrialVerdict { kSame, kBetter, kWorse, kFails };
// "same", "better", "worse" (a layer lost what it had), "fails" (a layer would be contraindicated that is not today).
std::string_view to_string(TrialVerdict verdict);
TrialVerdict verdict_between(const attestation::AttestationResult& now, const attestation::AttestationResult& then,
                             std::span<const attestation::Layer> layers);
TrialVerdict verdict_of(const Trial& trial);

// The layers that a policy weighs.
inline constexpr std::array kTriedLayers = {attestation::Layer::kHardware, attestation::Layer::kBoot,
                                            attestation::Layer::kConfiguration, attestation::Layer::kRuntime};

// When each policy judges: windows are open or closed by it.
struct TrialTimes {
  Timestamp now;   // the one of today
  Timestamp then;  // the candidate
};

// A policy that is not stored, and has no revision.
StandingPolicy candidate_policy(std::string target, PolicyMode mode, attestation::EvidencePolicy demands);

// What is judged by, beside the policy.
struct TrialTerms {
  const attestation::EkStanding& ek;
  const endorsement::FlawTable& flaws;
  const endorsement::FirmwareQuirks* quirks = nullptr;  // nullptr: there are none
  TrialTimes times;
};

// Holds a policy against kept evidence before it stands. It reads and decides nothing. nullopt: the candidate would not
// stand for that device, because it is another group's or a nearer policy stands.
Result<std::optional<Trial>> try_policy(RecordsView& records, PolicyCache& policies, const DeviceKey& device,
                                        const std::optional<GroupId>& group, const StandingPolicy& candidate,
                                        const TrialTerms& terms);

}  // namespace warifu::verifier

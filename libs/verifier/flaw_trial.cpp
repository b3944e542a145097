#include "verifier/flaw_trial.h"

#include <array>

#include "verifier/policy_layers.h"

namespace warifu::verifier {
namespace {

constexpr std::array kTried = {attestation::Layer::kHardware};

}  // namespace

TrialVerdict verdict_of(const FlawTrial& trial) {
  return verdict_between(trial.now, trial.then, kTried);
}

Result<std::optional<FlawTrial>> try_flaws(RecordsView& records, PolicyCache& policies, const DeviceKey& device,
                                           const std::optional<GroupId>& group, const attestation::EkStanding& ek,
                                           const FlawTables& tables) {
  TRY(const auto ledger, records.find_ledger(device.scope, device.registration));
  if (!ledger) return std::optional<FlawTrial>();
  TRY(const auto standing, policies.find_standing(records, device, group));
  const attestation::ShownTpm tpm{ek, attestation::shown_firmware(ledger->quote, ledger->ak_name)};
  const auto judged_by = [&](const endorsement::FlawTable& table) {
    attestation::AttestationResult result;
    attestation::appraise_hardware(tpm, {table, standing ? standing->demands->hardware_policy() : nullptr}, result);
    return weighed(result, standing ? &standing->info : nullptr);
  };
  FlawTrial trial{.registration_id = device.registration, .tpm = tpm.text()};
  if (standing) trial.standing = standing->info.target;
  trial.now = judged_by(tables.now);
  trial.then = judged_by(tables.then);
  return std::optional(std::move(trial));
}

}  // namespace warifu::verifier

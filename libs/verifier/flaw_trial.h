#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "attestation/appraisal/hardware_appraisal.h"
#include "verifier/device.h"
#include "verifier/policy_cache.h"
#include "verifier/policy_trial.h"
#include "verifier/records.h"

namespace warifu::verifier {

// The hardware layer of one device by what the server knows of its TPM: EK certificate, and the firmware version of the
// last quote. By the table of today and by another one; the policy that stands weighs both.
struct FlawTrial {
  RegistrationId registration_id;
  std::string tpm = {};                      // ShownTpm::text()
  std::optional<std::string> standing = {};  // target of the policy
  attestation::AttestationResult now = {};
  attestation::AttestationResult then = {};
};
TrialVerdict verdict_of(const FlawTrial& trial);

// What both are held against.
struct FlawTables {
  const endorsement::FlawTable& now;
  const endorsement::FlawTable& then;
};
// It reads and decides nothing. nullopt: it never attested.
Result<std::optional<FlawTrial>> try_flaws(RecordsView& records, PolicyCache& policies, const DeviceKey& device,
                                           const std::optional<GroupId>& group, const attestation::EkStanding& ek,
                                           const FlawTables& tables);

}  // namespace warifu::verifier

#pragma once

#include <optional>
#include <string>

#include "agent/measurement_logs.h"
#include "attestation/appraisal/evidence.h"
#include "attestation/appraisal/null_primary.h"
#include "attestation/appraisal/policy_file.h"
#include "base/result.h"
#include "base/time.h"
#include "tcb_protocol/messages.h"

// A device that judges itself, with the verifier's own code (docs/decisions/0034-a-device-judges-itself.md).
namespace warifu::agent_app {

// What it is held against.
struct LocalPolicy {
  std::string file;
  attestation::EvidencePolicy demands;
};

// The registers that the TCB shall quote. Of a bank that it does not speak of none is asked for: what the policy
// demands of it is missed then.
tcb_protocol::RegisterLists local_registers(const std::optional<LocalPolicy>& policy);

// What this device shows itself.
struct LocalEvidence {
  Bytes ak_public;   // TPM2B_PUBLIC
  Bytes extra_data;  // what the TCB says that it quoted over
  attestation::Evidence shown;
  std::optional<attestation::NullPrimary> null_primary;
};
// Reads the logs: after the quote, as for a server. "logs.read", "logs.size"; kInternal "tcb.answer" when the values
// are not those of the registers.
Result<LocalEvidence> gather(const tcb_protocol::RegisterLists& registers,
                             const tcb_protocol::LocalQuote::Answer& answer, agent::MeasurementLogs& logs);

// What does not hold is a finding. `now`: which windows of the policy are closed. Errors: of what is no quote at all,
// for the TCB does not make such a thing.
Result<attestation::EvidenceOutcome> judge(const LocalEvidence& evidence, const std::optional<LocalPolicy>& policy,
                                           Timestamp now);

}  // namespace warifu::agent_app

#pragma once

#include <span>

#include "attestation/appraisal/log_appraisal.h"

namespace warifu::attestation {

// Logs, the registers that they explain in each bank that was compared, at least one and the strongest first, and what
// the firmware's log says.
struct ExplainedLogs {
  const measured_boot::EventLog& log;
  const measured_boot::UserspaceLog* userspace;  // nullptr: there is none
  std::span<const ExplainedRegisters> banks;
  const measured_boot::Claims& claims;
};

// Whatever a policy requires and the logs do not prove contradicts the boot layer ("boot.required"), unless a quirk of
// the model excuses it: then it warns by that name ("boot.quirk"). If all is proved, that affirms the layer.
void check_requirements(const BootPolicy& policy, const ExplainedLogs& logs, const Allowances& allowances,
                        AttestationResult& result);
// The same when no log came: nothing is proved.
void add_missing_log(const BootPolicy& policy, AttestationResult& result);

}  // namespace warifu::attestation

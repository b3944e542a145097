#pragma once

#include <vector>

#include "base/result.h"
#include "process/confinement_check.h"
#include "warifu-tcb/log.h"
#include "warifu-tcb/settings.h"

namespace warifu::tcb_program {

// Serves the agent and the administrator until SIGTERM or SIGINT.
Status serve(Settings settings, Log& log);

// Tries what serve() forbids itself. No TPM is opened.
Result<std::vector<process::ForbiddenTry>> check_confinement(const Settings& settings);

}  // namespace warifu::tcb_program

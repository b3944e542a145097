#pragma once

#include "base/result.h"
#include "warifu-tcb/log.h"
#include "warifu-tcb/settings.h"

namespace warifu::tcb_program {

// Serves the agent and the administrator until SIGTERM or SIGINT.
Status serve(Settings settings, Log& log);

}  // namespace warifu::tcb_program

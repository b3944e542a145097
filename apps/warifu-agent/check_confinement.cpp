#include <fmt/format.h>

#include "device_config/device_config.h"
#include "process/confinement_check.h"
#include "process/privileges.h"
#include "warifu-agent/commands.h"
#include "warifu-agent/rights.h"

namespace warifu::agent_app {

Status check_confinement(const Context& context) {
  TRY(const auto config, device_config::load(context.config_path));
  if (process::runs_as_root()) {
    TRY(const auto user, process::find_user(config.tcb.agent_user.text));
    TRY_STATUS(process::become(user));
  }
  TRY(const auto tries, process::try_forbidden(confinement_of(config)));
  int open = 0;
  for (const auto& one : tries) {
    fmt::print("{:<36} {}\n", one.what, process::to_string(one));
    open += one.is_refused ? 0 : 1;
  }
  if (open == 0) return {};
  return Error{ErrorKind::kRefused, "confine.open", fmt::format("{} of {} went through", open, tries.size())};
}

}  // namespace warifu::agent_app

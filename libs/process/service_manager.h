#pragma once

#include <string_view>

#include "base/result.h"

namespace warifu::process {

// Tells systemd about this service (sd_notify(3)): "READY=1", "STOPPING=1". Nothing happens when no service manager
// listens ($NOTIFY_SOCKET). kUnavailable "service_manager.notify"; the program can go on.
Status notify_service_manager(std::string_view state);

}  // namespace warifu::process

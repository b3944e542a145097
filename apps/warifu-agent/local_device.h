#pragma once

#include "device_config/device_config.h"
#include "local_socket/client.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/service.h"
#include "warifu-agent/commands.h"

namespace warifu::agent_app {

// A device without a network: what the TCB does for this process's user, root included, without a server.
class LocalDevice {
 public:
  // Reads the configuration.
  static Result<LocalDevice> open(const Context& context) {
    TRY(auto config, device_config::load(context.config_path));
    return LocalDevice(config.tcb.socket);
  }

  template <class R>
  Result<typename R::Answer> ask(const R& request) {
    return tcb_protocol::call(tcb_, request);
  }

 private:
  explicit LocalDevice(std::filesystem::path socket) : tcb_(tcb_protocol::kService, std::move(socket)) {}

  local_socket::Client tcb_;
};

}  // namespace warifu::agent_app

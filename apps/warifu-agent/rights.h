#pragma once

#include "device_config/device_config.h"
#include "process/confinement.h"
#include "warifu-agent/commands.h"

namespace warifu::agent_app {

using Network = process::Confinement::Network;

// What a process that speaks with the network may still do; with Network::kUnixSockets, one that speaks with the TCB
// alone.
process::Confinement confinement_of(const device_config::DeviceConfig& config, Network network = Network::kInternet);

// That this process is not root any more, and is confined. Only give_up() makes one, and nothing here speaks with a
// network without one.
class RightsGivenUp {
 public:
  // As tcb.agent_user if this is root, and from then on confined: for good, and all of the process. Notes on standard
  // error. "user.unknown", and what process::become() and process::confine() say.
  static Result<RightsGivenUp> give_up(const Context& context, const device_config::DeviceConfig& config,
                                       Network network = Network::kInternet);

 private:
  RightsGivenUp() = default;
};

}  // namespace warifu::agent_app

#include "warifu-agent/rights.h"

#include <fmt/format.h>

#include <cstdio>

#include "process/privileges.h"

namespace warifu::agent_app {
namespace {

Status become_the_agent(const device_config::DeviceConfig& config, Network network) {
  if (!process::runs_as_root()) return {};
  TRY(const auto user, process::find_user(config.tcb.agent_user.text));
  // As it was said: a machine, or a container, that has no other user.
  if (user.user == 0) {
    if (network == Network::kInternet)
      fmt::print(stderr, "note: STAYS ROOT on the network, because tcb.agent_user is root\n");
    return {};
  }
  return process::become(user);
}

}  // namespace

Result<RightsGivenUp> RightsGivenUp::give_up(const Context& context, const device_config::DeviceConfig& config,
                                             Network network) {
  TRY_STATUS(become_the_agent(config, network));
  if (context.unconfined) {
    fmt::print(stderr,
               "note: NOT CONFINED (--unconfined): whoever takes over this process can do all that its user can\n");
    return RightsGivenUp();
  }
  TRY_STATUS(process::confine(confinement_of(config, network)));
  return RightsGivenUp();
}

process::Confinement confinement_of(const device_config::DeviceConfig& config, Network network) {
  return {.network = network,
          .has_threads = true,
          // What libc reads to find a host's address, and libssl when it starts.
          .readable = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
                       "/etc/services", "/run/systemd/resolve", "/etc/ssl/openssl.cnf", "/etc/ld.so.cache", "/lib",
                       "/usr/lib", "/etc/localtime", "/proc/self", "/sys/devices/system/cpu"},
          .writable = {config.agent.state}};
}

}  // namespace warifu::agent_app

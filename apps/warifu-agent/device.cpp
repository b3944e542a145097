#include "warifu-agent/device.h"

#include <fmt/format.h>

#include <cstdio>

#include "device_config/trusted_file.h"
#include "process/privileges.h"

namespace warifu::agent_app {
namespace {

constexpr std::size_t kRootSizeMax = 64 * 1024;

int silent_to(Device::Tells tells) {
  switch (tells) {
    case Device::Tells::kEverything:
      return 0;
    case Device::Tells::kFromTheThirdStep:
      return 2;
    case Device::Tells::kNotes:
      return agent::Progress::kSteps;
  }
  return 0;
}

}  // namespace

void StderrProgress::step(int number, std::string_view what) {
  if (number > silent_to_) fmt::print(stderr, "{}/{} {}\n", number, kSteps, what);
}

void StderrProgress::note(std::string_view what) {
  fmt::print(stderr, "note: {}\n", what);
}

Result<std::unique_ptr<Device>> Device::open(const Context& context, Tells tells) {
  TRY(auto config, device_config::load(context.config_path));
  TRY(const auto pem, device_config::read_trusted_file(config.server.root, kRootSizeMax));
  auto root = http_client::TrustedRoot::from_pem(pem);
  if (!root) return invalid_input("server.root", root.error().message, config.server.root.string());
  return std::unique_ptr<Device>(new Device(std::move(config), *std::move(root), silent_to(tells)));
}

Device::Device(device_config::DeviceConfig config, http_client::TrustedRoot root, int silent_steps)
    : config_(std::move(config)),
      progress_(silent_steps),
      tcb_(config_.tcb.socket),
      server_check_(tcb_),
      transport_({config_.server.url.host, config_.server.url.port}, std::move(root), server_check_),
      files_(keystore::kernel_files(), config_.agent.state.string()),
      outside_{transport_, server_check_, tcb_, files_, clock_, entropy_, waiter_, progress_} {
}

Status Device::give_up_rights(const Context& context) {
  if (process::runs_as_root() && !context.allow_root) {
    TRY(const auto user, process::find_user(config_.tcb.agent_user.text));
    if (user.user != 0) TRY_STATUS(process::become(user));
  }
  if (context.unconfined) {
    progress_.note("NOT CONFINED (--unconfined): whoever takes over this process can do all that its user can");
    return {};
  }
  TRY_STATUS(process::confine(confinement_of(config_)));
  return {};
}

process::Confinement confinement_of(const device_config::DeviceConfig& config) {
  return {.network = process::Confinement::Network::kInternet,
          .has_threads = true,
          // What libc reads to find a host's address, and libssl when it starts.
          .readable = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
                       "/etc/services", "/run/systemd/resolve", "/etc/ssl/openssl.cnf", "/etc/ld.so.cache", "/lib",
                       "/usr/lib", "/etc/localtime", "/proc/self", "/sys/devices/system/cpu"},
          .writable = {config.agent.state}};
}

}  // namespace warifu::agent_app

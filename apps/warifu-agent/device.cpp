#include "warifu-agent/device.h"

#include <fmt/format.h>

#include <cstdio>

#include "device_config/trusted_file.h"
#include "tcb_protocol/service.h"

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
  auto logs = std::make_unique<MeasurementFiles>(config);
  TRY(const auto rights, RightsGivenUp::give_up(context, config));
  auto root = http_client::TrustedRoot::from_pem(pem);
  if (!root) return invalid_input("server.root", root.error().message, config.server.root.string());
  return std::unique_ptr<Device>(
      new Device(rights, std::move(config), std::move(logs), *std::move(root), silent_to(tells)));
}

Device::Device(const RightsGivenUp&, device_config::DeviceConfig config, std::unique_ptr<MeasurementFiles> logs,
               http_client::TrustedRoot root, int silent_steps)
    : config_(std::move(config)),
      logs_(std::move(logs)),
      progress_(silent_steps),
      tcb_(tcb_protocol::kService, config_.tcb.socket),
      server_check_(tcb_),
      identity_(tcb_, progress_),
      connection_({config_.server.url.host, config_.server.url.port}, std::move(root), server_check_, waiter_,
                  &identity_),
      transport_(connection_, identity_, progress_),
      files_(keystore::kernel_files(), config_.agent.state.string()),
      outside_{transport_, server_check_, tcb_, files_, clock_, entropy_, waiter_, progress_} {
}

}  // namespace warifu::agent_app

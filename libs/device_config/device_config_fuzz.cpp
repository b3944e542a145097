#include <cstdlib>

#include "device_config/device_config.h"

// What is accepted holds what device_config.h promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = warifu::device_config::parse(warifu::as_text({data, size}));
  if (!config) return 0;
  const auto& url = config->server.url;
  if (warifu::device_config::ServerUrl::parse(url.text()) != url) std::abort();
  for (const auto& path : {config->server.root, config->agent.state, config->tcb.state, config->tcb.socket})
    if (!path.is_absolute() || path.native().find('\0') != std::string::npos) std::abort();
  if (config->agent.check_every <= std::chrono::seconds(0) || config->tcb.socket.native().size() > 107) std::abort();
  return 0;
}

#include <cstdlib>

#include "base/bytes.h"
#include "net/target.h"

// What is accepted holds what target.h promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  if (const auto opaque = net::parse_target(as_text({data, size}), 2)) {
    if (opaque->segments.size() > 2) std::abort();
    for (const std::string& segment : opaque->segments)
      if (segment.find('\0') != std::string::npos) std::abort();
  }
  const auto target = net::parse_target(as_text({data, size}));
  if (!target) return 0;
  for (const std::string& segment : target->segments)
    if (segment == "." || segment == ".." || segment.find('\0') != std::string::npos) std::abort();
  for (const auto& [key, value] : target->query)
    if (target->parameter(key) == std::nullopt || value.find('\0') != std::string::npos) std::abort();
  return 0;
}

#include <cstdlib>

#include "base/bytes.h"
#include "net/target.h"

// What is accepted holds what target.h promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = warifu::net::parse_target(warifu::as_text({data, size}));
  if (!target) return 0;
  for (const std::string& segment : target->segments)
    if (segment == "." || segment == ".." || segment.find('\0') != std::string::npos) std::abort();
  for (const auto& [key, value] : target->query)
    if (target->parameter(key) == std::nullopt || value.find('\0') != std::string::npos) std::abort();
  return 0;
}

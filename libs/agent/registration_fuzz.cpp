#include <cstdlib>

#include "agent/registration.h"

// What is read is written again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto registration = warifu::agent::parse_registration(warifu::as_text({data, size}));
  if (!registration) return 0;
  const std::string again = warifu::agent::to_json(*registration);
  if (again.size() <= 4096 && warifu::agent::parse_registration(again) != *registration) std::abort();
  return 0;
}

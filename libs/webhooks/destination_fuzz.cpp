#include <cstdlib>

#include "base/bytes.h"
#include "webhooks/desk.h"
#include "webhooks/destination.h"

// What is accepted holds what destination.h promises, and its origin can stand in the audit log's JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto url = warifu::as_text({data, size});
  if (!warifu::webhooks::check_url(url)) return 0;
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '#' || c == '"' || c == '\\') std::abort();
  const auto origin = warifu::webhooks::origin_of(url);
  if (origin.size() < 8 || origin.find('@') != std::string::npos) std::abort();
  return 0;
}

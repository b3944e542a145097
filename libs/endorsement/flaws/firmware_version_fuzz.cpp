#include <cstdlib>

#include "crypto/roca.h"
#include "endorsement/flaws/firmware_version.h"

// A version that is read is written as something that is read as the same; the exact test implies the filter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  if (crypto::is_roca_key(input) && !crypto::passes_roca_filter(input)) std::abort();
  const auto version = endorsement::FirmwareVersion::parse(as_text(input));
  if (!version) return 0;
  const auto again = endorsement::FirmwareVersion::parse(version->text());
  if (!again || again->before(*version) || version->before(*again)) std::abort();
  return 0;
}

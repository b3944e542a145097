#include <algorithm>
#include <cstdlib>

#include "tpm_device/ek_certificate.h"

// What is cut out is a beginning of the input, and is cut out of itself whole.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto der = tpm_device::trim_certificate(input);
  if (!der) return 0;
  if (der->size() > size || !std::ranges::equal(*der, input.first(der->size()))) std::abort();
  const auto again = tpm_device::trim_certificate(*der);
  if (!again || *again != *der) std::abort();
  return 0;
}

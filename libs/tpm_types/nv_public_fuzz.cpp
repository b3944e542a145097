#include <algorithm>
#include <cstdlib>

#include "tpm_types/nv_public.h"

// Parse, write, equal bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto parsed = tpm::NvPublic::parse(input);
  if (parsed && !std::ranges::equal(parsed->tpms(), input)) std::abort();
  return 0;
}

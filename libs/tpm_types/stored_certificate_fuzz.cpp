#include <algorithm>
#include <cstdlib>

#include "tpm_types/stored_certificate.h"

// What is cut out stands in the input, and is cut out of itself whole; a chain is what stands at its beginning.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  std::size_t end = 0;
  for (const ByteView certificate : tpm::stored_chain(input, 6)) {
    if (certificate.data() != input.data() + end) std::abort();
    end += certificate.size();
  }
  if (end > size) std::abort();
  const auto stored = tpm::stored_certificate(input);
  if (!stored) return 0;
  const std::size_t header = stored->has_header ? 7 : 0;
  if (header + stored->der.size() + stored->padding != size) std::abort();
  if (!std::ranges::equal(stored->der, input.subspan(header, stored->der.size()))) std::abort();
  const auto again = tpm::stored_certificate(stored->der);
  if (!again || again->has_header || again->padding != 0 || again->der.size() != stored->der.size()) std::abort();
  return 0;
}

#include <cstdlib>

#include "crypto/certs_only.h"

// What is read says the same when it is written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto read = crypto::read_certs_only({data, size});
  if (!read) return 0;
  const auto again = crypto::read_certs_only(crypto::certs_only(*read));
  if (!again || again->size() != read->size()) std::abort();
  for (std::size_t i = 0; i < read->size(); ++i)
    if ((*again)[i].to_der() != (*read)[i].to_der()) std::abort();
  return 0;
}

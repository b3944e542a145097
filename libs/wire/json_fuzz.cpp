#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "base/bytes.h"
#include "wire/json.h"

// What is accepted must be accepted again, as the same value, when we write it ourselves.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = warifu::wire::parse_json(warifu::as_text({data, size}));
  if (!value) return 0;
  const auto again = warifu::wire::parse_json(boost::json::serialize(*value), {.max_bytes = 1024 * 1024});
  if (!again || *again != *value) std::abort();
  return 0;
}

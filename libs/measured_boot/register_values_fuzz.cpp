#include <cstdlib>
#include <string>

#include <boost/json/serialize.hpp>

#include "measured_boot/registers_json.h"

// What is accepted is the same when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto values = measured_boot::parse_register_values(as_text(ByteView(data, size)));
  if (!values) return 0;
  const auto again = measured_boot::parse_register_values(boost::json::serialize(measured_boot::to_json(*values)));
  if (!again || !(*again == *values)) std::abort();
  return 0;
}

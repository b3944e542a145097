#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "base/bytes.h"
#include "wire/json.h"

namespace {

namespace json = boost::json;

bool holds_a_fraction(const json::value& value) {
  if (value.is_double()) return true;
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, holds_a_fraction);
  if (const auto* object = value.if_object())
    return std::ranges::any_of(*object, [](const auto& member) { return holds_a_fraction(member.value()); });
  return false;
}

}  // namespace

// What is accepted is accepted again when we write it ourselves, and is the same value; but for fractions, which Boost
// 1.81 reads with an error in the last bit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = warifu::wire::parse_json(warifu::as_text({data, size}));
  if (!value) return 0;
  const auto again = warifu::wire::parse_json(json::serialize(*value), {.max_bytes = 1024 * 1024});
  if (!again) std::abort();
  if (!holds_a_fraction(*value) && *again != *value) std::abort();
  return 0;
}

#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::wire {

struct JsonLimits {
  std::size_t max_bytes = 64 * 1024;
  std::size_t max_depth = 32;
};

// One JSON text (RFC 8259, as strict as RFC 7493 I-JSON asks): no duplicate key in any object, no invalid UTF-8, no
// number that its type cannot hold, nothing after the value, nothing above the limits. Codes: "json.too-large",
// "json.too-deep", "json.duplicate-key", "json.number-range", "json.syntax"; `where` is the byte offset.
Result<boost::json::value> parse_json(std::string_view text, JsonLimits limits = {});

// The members of one object, taken out with their types. An optional member that is null counts as absent, as JSON
// serializers of many clients write it so. Codes: "json.missing", "json.type", "json.base64", "json.unknown-field";
// `where` is the path, like "tpm.endorsementKey". It refers to the object, which must outlive it.
class JsonFields {
 public:
  // "json.type" when the value is not an object. `path` names it in errors; the outermost one has none.
  static Result<JsonFields> of(const boost::json::value& value, std::string path = {});
  explicit JsonFields(const boost::json::object& object, std::string path = {})
      : object_(&object), path_(std::move(path)) {}

  Result<std::string> required_string(std::string_view name) const;
  Result<std::optional<std::string>> optional_string(std::string_view name) const;
  // Bytes, as base64 (RFC 4648, section 4).
  Result<Bytes> required_bytes(std::string_view name) const;
  Result<std::optional<Bytes>> optional_bytes(std::string_view name) const;
  Result<std::optional<bool>> optional_bool(std::string_view name) const;
  // A whole number from 0 to 2^64 - 1, written without fraction and exponent.
  Result<std::uint64_t> required_uint(std::string_view name) const;
  Result<std::optional<std::uint64_t>> optional_uint(std::string_view name) const;
  Result<JsonFields> required_object(std::string_view name) const;
  Result<std::optional<JsonFields>> optional_object(std::string_view name) const;
  Result<const boost::json::array*> required_array(std::string_view name) const;
  // nullptr when absent.
  Result<const boost::json::array*> optional_array(std::string_view name) const;
  // Any value, null included; nullptr when absent.
  const boost::json::value* find(std::string_view name) const;

  Status refuse_unknown(std::span<const std::string_view> known) const;
  Status refuse_unknown(std::initializer_list<std::string_view> known) const {
    return refuse_unknown(std::span(known.begin(), known.size()));
  }
  // "path.name", as it stands in errors.
  std::string path_of(std::string_view name) const;

 private:
  const boost::json::object* object_;
  std::string path_;
};

}  // namespace warifu::wire

#include <fmt/format.h>

#include <algorithm>

#include "wire/json.h"

namespace warifu::wire {
namespace {

namespace json = boost::json;

Error wrong_type(std::string_view expected, const json::value& value, std::string where) {
  const json::string_view kind = json::to_string(value.kind());
  return invalid_input("json.type", fmt::format("expected {}, {} came", expected, std::string_view(kind)),
                       std::move(where));
}

template <class T>
Result<T> present(Result<std::optional<T>> found, std::string_view name, const JsonFields& fields) {
  if (!found) return std::move(found).error();
  if (!*found) return invalid_input("json.missing", "this member must be there", fields.path_of(name));
  return std::move(**found);
}

}  // namespace

Result<JsonFields> JsonFields::of(const json::value& value, std::string path) {
  if (const auto* object = value.if_object()) return JsonFields(*object, std::move(path));
  return wrong_type("an object", value, std::move(path));
}

const json::value* JsonFields::find(std::string_view name) const {
  return object_->if_contains(name);
}

std::string JsonFields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

Result<std::optional<std::string>> JsonFields::optional_string(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::optional<std::string>();
  if (const auto* text = value->if_string()) return std::optional(std::string(text->data(), text->size()));
  return wrong_type("a string", *value, path_of(name));
}

Result<std::optional<Bytes>> JsonFields::optional_bytes(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::optional<Bytes>();
  const auto* text = value->if_string();
  if (text == nullptr) return wrong_type("base64 in a string", *value, path_of(name));
  auto bytes = from_base64(std::string_view(*text));
  if (!bytes) return invalid_input("json.base64", bytes.error().message, path_of(name));
  return std::optional(*std::move(bytes));
}

Result<std::optional<bool>> JsonFields::optional_bool(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::optional<bool>();
  if (const bool* flag = value->if_bool()) return std::optional(*flag);
  return wrong_type("true or false", *value, path_of(name));
}

Result<std::optional<std::uint64_t>> JsonFields::optional_uint(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::optional<std::uint64_t>();
  if (const auto* number = value->if_uint64()) return std::optional(*number);
  if (const auto* number = value->if_int64(); number != nullptr && *number >= 0)
    return std::optional(static_cast<std::uint64_t>(*number));
  return wrong_type("a whole number that is not negative", *value, path_of(name));
}

Result<std::optional<JsonFields>> JsonFields::optional_object(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::optional<JsonFields>();
  TRY(JsonFields fields, of(*value, path_of(name)));
  return std::optional(std::move(fields));
}

Result<const json::array*> JsonFields::optional_array(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return static_cast<const json::array*>(nullptr);
  if (const auto* array = value->if_array()) return array;
  return wrong_type("an array", *value, path_of(name));
}

Result<std::string> JsonFields::required_string(std::string_view name) const {
  return present(optional_string(name), name, *this);
}

Result<Bytes> JsonFields::required_bytes(std::string_view name) const {
  return present(optional_bytes(name), name, *this);
}

Result<std::uint64_t> JsonFields::required_uint(std::string_view name) const {
  return present(optional_uint(name), name, *this);
}

Result<JsonFields> JsonFields::required_object(std::string_view name) const {
  return present(optional_object(name), name, *this);
}

Result<const json::array*> JsonFields::required_array(std::string_view name) const {
  TRY(const json::array* array, optional_array(name));
  if (array == nullptr) return invalid_input("json.missing", "this member must be there", path_of(name));
  return array;
}

Status JsonFields::refuse_unknown(std::span<const std::string_view> known) const {
  for (const auto& member : *object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(known, name) == known.end()) {
      return invalid_input("json.unknown-field", fmt::format("expected only {}", fmt::join(known, ", ")),
                           path_of(name));
    }
  }
  return {};
}

}  // namespace warifu::wire

#include "front/api/application_key_messages.h"

#include <algorithm>
#include <cstdint>

#include "front/api/fields.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using application_keys::ApplicationKey;
using application_keys::Desk;

Result<std::optional<SecretBytes>> read_key(const wire::JsonFields& fields) {
  TRY(auto bytes, fields.optional_bytes("key"));
  if (!bytes) return std::optional<SecretBytes>();
  return std::optional(SecretBytes(*std::move(bytes)));
}

}  // namespace

Result<Desk::Given> parse_application_key(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name", "key", "generate", "capped_by_pcr"}));
  TRY(auto name, parse_id<Label>(fields, "name"));
  TRY(auto key, read_key(fields));
  TRY(const auto generate, fields.optional_bool("generate"));
  if (key.has_value() == generate.value_or(false))
    return invalid_input("application-key.source", "expected a key, or that one is to be made (\"generate\": true)",
                         "key");
  TRY(const auto pcr, fields.optional_uint("capped_by_pcr"));
  Desk::Given given{.name = std::move(name), .key = std::move(key)};
  // Which ones may be, the desk says.
  if (pcr) given.capped_by = static_cast<std::uint8_t>(std::min<std::uint64_t>(*pcr, UINT8_MAX));
  return given;
}

Result<std::optional<SecretBytes>> parse_rotation(std::string_view body) {
  if (body.empty()) return std::optional<SecretBytes>();
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"key"}));
  return read_key(fields);
}

json::object to_json(const ApplicationKey& key, application_keys::Holders holders) {
  json::object object{{"registration_id", key.registration_id.text()},
                      {"name", key.name.text()},
                      {"version", key.version},
                      {"state", to_string(standing_of(key, holders))},
                      {"created_at", to_rfc3339(key.created_at)},
                      {"changed_at", to_rfc3339(key.changed_at)}};
  if (key.capped_by) object["capped_by_pcr"] = *key.capped_by;
  if (!key.srk_name.empty()) object["srk_name"] = to_hex(key.srk_name);
  if (key.told_at) object["told_at"] = to_rfc3339(*key.told_at);
  return object;
}

json::object to_json(const Desk::Put& put) {
  const ApplicationKey& key = put.record;
  const application_keys::Holder holder{key.scope, key.registration_id, key.enrollment_id, key.ek_name};
  auto object = to_json(key, {&holder, 1});
  if (put.made) object["key"] = to_base64(put.made->reveal());
  return object;
}

}  // namespace warifu::front::api

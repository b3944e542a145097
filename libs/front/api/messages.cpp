#include "front/api/messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "front/api/fields.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultTokenName = "admin";

Result<std::optional<operators::Permissions>> parse_permissions(const wire::JsonFields& fields) {
  TRY(const auto* array, fields.optional_array("permissions"));
  if (array == nullptr) return std::optional<operators::Permissions>();
  std::vector<std::string> names;
  for (const auto& element : *array) {
    if (!element.is_string())
      return invalid_input("json.type", "a permission is a text, like \"enrollment:read\"", "permissions");
    names.emplace_back(element.get_string());
  }
  auto permissions = operators::Permissions::parse(names);
  if (!permissions) return at(std::move(permissions).error(), "permissions");
  return std::optional(*permissions);
}

json::array names_of(const operators::Permissions& permissions) {
  json::array names;
  for (const auto& name : permissions.names())
    names.emplace_back(name);
  return names;
}

}  // namespace

Result<operators::LoginRequest> parse_login(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"bootstrap_token", "name", "permissions", "lifetime_seconds"}));
  TRY(auto token, fields.required_string("bootstrap_token"));
  TRY(const auto name, fields.optional_string("name"));
  auto label = Label::parse(name.value_or(std::string(kDefaultTokenName)));
  if (!label) return at(std::move(label).error(), "name");
  TRY(const auto permissions, parse_permissions(fields));
  TRY(const auto lifetime, fields.optional_uint("lifetime_seconds"));
  constexpr auto kDefault = std::chrono::seconds(operators::kAccessLifetimeDefault).count();
  constexpr auto kTooLong = std::chrono::seconds(operators::kAccessLifetimeMax).count() + 1;
  // Cut before the conversion, so that a huge number does not turn into a small one; login() refuses what is too long.
  const auto seconds = std::min<std::uint64_t>(lifetime.value_or(kDefault), kTooLong);
  return operators::LoginRequest{std::move(token), *std::move(label),
                                 permissions.value_or(operators::Permissions::all()),
                                 std::chrono::seconds(static_cast<std::int64_t>(seconds))};
}

Result<operators::ServiceKeyRequest> parse_service_key(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name", "permissions"}));
  TRY(auto name, parse_id<Label>(fields, "name"));
  TRY(const auto permissions, parse_permissions(fields));
  return operators::ServiceKeyRequest{std::move(name), permissions};
}

json::object to_json(const operators::IssuedToken& token) {
  return {
      {"access_token", token.text},
      {"token_id", token.record.token_id.text()},
      {"name", token.record.name.text()},
      {"id_scope", token.record.scope.text()},
      {"permissions", names_of(token.record.permissions)},
      {"expires_at", to_rfc3339(token.record.expires_at)},
  };
}

json::object to_json(const operators::ServiceKey& key) {
  return {
      {"name", key.name.text()},
      {"permissions", names_of(key.permissions)},
      {"created_at", to_rfc3339(key.created_at)},
  };
}

json::object to_json(const provisioning::Device& device) {
  const auto hex_or_null = [](const Bytes& bytes) {
    return bytes.empty() ? json::value() : json::value(to_hex(bytes));
  };
  return {
      {"device_id", device.device_id.text()},
      {"registration_id", device.registration_id.text()},
      {"group_id", device.group ? json::value(device.group->text()) : json::value()},
      {"attestation_type", to_string(device.mechanism)},
      {"state", to_string(device.standing.state)},
      {"hold", to_string(device.standing.hold)},
      {"assigned_hub", device.assigned_hub},
      {"ek_name", hex_or_null(device.ek_name)},
      {"srk_name", hex_or_null(device.srk_name)},
      {"certificate_sha256", hex_or_null(device.certificate_sha256)},
      {"created_at", to_rfc3339(device.created_at)},
      {"updated_at", to_rfc3339(device.updated_at)},
  };
}

json::object to_json(const provisioning::EscrowDeposit& deposit) {
  return {
      {"number", deposit.number},
      {"received_at", to_rfc3339(deposit.received_at)},
      {"sha256", to_hex(deposit.sha256)},
      {"ek_name", to_hex(deposit.ek_name)},
      {"package", to_base64(deposit.package)},
  };
}

}  // namespace warifu::front::api

#include "front/api/messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultTokenName = "admin";

Error at(Error error, std::string where) {
  error.where = error.where.empty() ? std::move(where) : fmt::format("{}, {}", where, error.where);
  return error;
}

Result<operators::Permissions> parse_permissions(const wire::JsonFields& fields) {
  TRY(const auto* array, fields.optional_array("permissions"));
  if (array == nullptr) return operators::Permissions::all();
  std::vector<std::string> names;
  for (const auto& element : *array) {
    if (!element.is_string())
      return invalid_input("json.type", "a permission is a text, like \"enrollment:read\"", "permissions");
    names.emplace_back(element.get_string());
  }
  auto permissions = operators::Permissions::parse(names);
  if (!permissions) return at(std::move(permissions).error(), "permissions");
  return permissions;
}

template <class Id>
Result<Id> parse_id(const wire::JsonFields& fields, std::string_view name) {
  TRY(const auto text, fields.required_string(name));
  auto id = Id::parse(text);
  if (!id) return at(std::move(id).error(), fields.path_of(name));
  return id;
}

Result<tpm::EkPublic> parse_tpm_attestation(const wire::JsonFields& fields) {
  TRY(const auto attestation, fields.required_object("attestation"));
  TRY_STATUS(attestation.refuse_unknown({"type", "tpm"}));
  TRY(const auto type, attestation.required_string("type"));
  if (type != "tpm")
    return invalid_input("enrollment.attestation",
                         fmt::format("the attestation type \"{}\" is not served; \"tpm\" is", type),
                         attestation.path_of("type"));
  TRY(const auto tpm, attestation.required_object("tpm"));
  TRY_STATUS(tpm.refuse_unknown({"endorsement_key"}));
  TRY(const auto text, tpm.required_string("endorsement_key"));
  const std::string path = tpm.path_of("endorsement_key");
  auto bytes = from_base64(text);
  if (!bytes) return at(std::move(bytes).error(), path);
  auto ek = tpm::EkPublic::from_any(*bytes);
  if (!ek) return at(std::move(ek).error(), path);
  return ek;
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
  return operators::LoginRequest{std::move(token), *std::move(label), permissions,
                                 std::chrono::seconds(static_cast<std::int64_t>(seconds))};
}

Result<provisioning::EnrollmentRequest> parse_enrollment(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"registration_id", "attestation", "allow_software_keys"}));
  TRY(auto registration, parse_id<RegistrationId>(fields, "registration_id"));
  TRY(auto ek, parse_tpm_attestation(fields));
  TRY(const auto allow_software_keys, fields.optional_bool("allow_software_keys"));
  return provisioning::EnrollmentRequest{std::move(registration), std::move(ek), allow_software_keys.value_or(false)};
}

Result<Label> parse_service_key(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name"}));
  return parse_id<Label>(fields, "name");
}

net::HttpResponse json_response(int status, const json::object& body) {
  return {status, {}, "application/json", json::serialize(body)};
}

json::object to_json(const operators::IssuedToken& token) {
  json::array permissions;
  for (const auto& name : token.record.permissions.names())
    permissions.emplace_back(name);
  return {
      {"access_token", token.text},
      {"token_id", token.record.token_id.text()},
      {"name", token.record.name.text()},
      {"id_scope", token.record.scope.text()},
      {"permissions", std::move(permissions)},
      {"expires_at", to_rfc3339(token.record.expires_at)},
  };
}

json::object to_json(const provisioning::Enrollment& enrollment) {
  return {
      {"registration_id", enrollment.registration_id.text()},
      {"attestation",
       json::object{{"type", "tpm"}, {"tpm", json::object{{"endorsement_key", to_base64(enrollment.ek_public)}}}}},
      {"ek_name", to_hex(enrollment.ek_name)},
      {"allow_software_keys", enrollment.allow_software_keys},
      {"created_at", to_rfc3339(enrollment.created_at)},
  };
}

json::object to_json(const provisioning::Device& device) {
  return {
      {"device_id", device.device_id.text()},        {"registration_id", device.registration_id.text()},
      {"state", to_string(device.standing.state)},   {"hold", to_string(device.standing.hold)},
      {"assigned_hub", device.assigned_hub},         {"ek_name", to_hex(device.ek_name)},
      {"srk_name", to_hex(device.srk_name)},         {"created_at", to_rfc3339(device.created_at)},
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

#include "agent/registration.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::agent {
namespace {

constexpr std::uint64_t kRegistrationVersion = 1;
constexpr std::size_t kRegistrationMax = 4096;

}  // namespace

std::string to_json(const Registration& registration) {
  return boost::json::serialize(boost::json::object{{"version", kRegistrationVersion},
                                                    {"assigned_hub", registration.assigned_hub},
                                                    {"device_id", registration.device_id},
                                                    {"id_scope", registration.id_scope},
                                                    {"registration_id", registration.registration_id},
                                                    {"assigned_at", registration.assigned_at}}) +
         "\n";
}

Result<Registration> parse_registration(std::string_view json) {
  TRY(const auto value, wire::parse_json(json, {.max_bytes = kRegistrationMax, .max_depth = 4}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(
      fields.refuse_unknown({"version", "assigned_hub", "device_id", "id_scope", "registration_id", "assigned_at"}));
  TRY(const auto version, fields.required_uint("version"));
  if (version != kRegistrationVersion)
    return invalid_input("state.form", fmt::format("expected version {}, got {}", kRegistrationVersion, version),
                         "version");
  Registration registration;
  TRY(registration.assigned_hub, fields.required_string("assigned_hub"));
  TRY(registration.device_id, fields.required_string("device_id"));
  TRY(registration.id_scope, fields.required_string("id_scope"));
  TRY(registration.registration_id, fields.required_string("registration_id"));
  TRY(registration.assigned_at, fields.required_string("assigned_at"));
  return registration;
}

Status save(StateFiles& files, const Registration& registration) {
  return files.replace(kRegistrationFile, as_bytes(to_json(registration)));
}

Result<std::optional<Registration>> load_registration(StateFiles& files, std::string& note) {
  TRY(const auto content, files.read(kRegistrationFile));
  if (!content) return {std::nullopt};
  auto registration = parse_registration(as_text(*content));
  if (registration) return {*std::move(registration)};
  note = fmt::format("{} cannot be read and counts as absent: {}", kRegistrationFile, to_string(registration.error()));
  return {std::nullopt};
}

}  // namespace warifu::agent

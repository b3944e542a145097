#include "agent/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent/server_reply.h"
#include "tcb_protocol/limits.h"
#include "wire/json.h"

namespace warifu::agent {
namespace {

namespace json = boost::json;
using wire::JsonFields;

constexpr std::size_t kOperationIdMax = 128;
constexpr std::size_t kTextMax = 512;

// It goes to a terminal or a log.
std::string for_people(std::string_view text) {
  std::string out(text.substr(0, kTextMax));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

Result<std::string> read_hub(const JsonFields& state) {
  TRY(auto hub, believed(state.required_string("assignedHub")));
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  if (hub.empty() || hub.size() > tcb_protocol::kHostNameMax || !std::ranges::all_of(hub, allowed))
    return lie("expected the name of a host", state.path_of("assignedHub"));
  return hub;
}

Result<Operation> read_assignment(const JsonFields& state) {
  TRY(auto hub, read_hub(state));
  TRY(const auto device_text, believed(state.required_string("deviceId")));
  auto device = DeviceId::parse(device_text);
  if (!device) return lie(device.error().message, state.path_of("deviceId"));
  TRY(const auto tpm, believed(state.required_object("tpm")));
  TRY(auto key, reply_bytes(tpm, "authenticationKey", tcb_protocol::kAuthenticationKeyMax));
  return Operation(Assignment{std::move(hub), *std::move(device), std::move(key)});
}

Status check_registration(const JsonFields& state, const RegistrationId& registration) {
  TRY(const auto text, believed(state.required_string("registrationId")));
  const auto id = RegistrationId::parse(text);
  if (id && *id == registration) return {};
  return lie(fmt::format("it is about \"{}\", not about \"{}\"", for_people(text), registration.text()),
             state.path_of("registrationId"));
}

std::string first_text(const JsonFields& fields, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto text = fields.optional_string(name); text && *text) return for_people(**text);
  return {};
}

// Another server says nothing of this.
Assigning read_assigning(const JsonFields& fields) {
  const auto info = fields.optional_object("info");
  if (!info || !*info) return {};
  return {first_text(**info, {"code"}), first_text(**info, {"message"})};
}

}  // namespace

std::string registration_body(const tcb_protocol::Identity::Answer& device,
                              const tcb_protocol::EkCertificate::Answer& certificate) {
  json::object tpm{{"endorsementKey", to_base64(device.ek_public)}, {"storageRootKey", to_base64(device.srk_public)}};
  if (!certificate.certificate.empty()) {
    tpm["endorsementCertificate"] = to_base64(certificate.certificate);
    json::array chain;
    for (const Bytes& authority : certificate.authorities)
      chain.emplace_back(to_base64(authority));
    if (!chain.empty()) tpm["endorsementCertificateChain"] = std::move(chain);
  }
  return json::serialize(json::object{{"registrationId", device.registration_id}, {"tpm", std::move(tpm)}});
}

std::string escrow_body(ByteView package) {
  return json::serialize(json::object{{"package", to_base64(package)}});
}

Result<std::optional<Bytes>> parse_challenge(std::string_view body) {
  TRY(const auto value, believed(wire::parse_json(body)));
  TRY(const auto fields, believed(JsonFields::of(value)));
  if (fields.find("authenticationKey") == nullptr) return {std::nullopt};
  TRY(auto key, reply_bytes(fields, "authenticationKey", tcb_protocol::kAuthenticationKeyMax));
  return {std::move(key)};
}

Result<std::string> parse_accepted(std::string_view body) {
  TRY(const auto value, believed(wire::parse_json(body)));
  TRY(const auto fields, believed(JsonFields::of(value)));
  TRY(auto id, believed(fields.required_string("operationId")));
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  const bool is_dots = id.find_first_not_of('.') == std::string::npos;
  if (is_dots || id.size() > kOperationIdMax || !std::ranges::all_of(id, allowed))
    return lie(fmt::format("expected 1 to {} letters, digits, \".\", \"_\" and \"-\"", kOperationIdMax), "operationId");
  return id;
}

Result<Operation> parse_operation(std::string_view body, const RegistrationId& registration) {
  TRY(const auto value, believed(wire::parse_json(body)));
  TRY(const auto fields, believed(JsonFields::of(value)));
  TRY(const auto status, believed(fields.required_string("status")));
  if (status == "assigning" || status == "unassigned") return Operation(read_assigning(fields));
  TRY(const auto state, believed(fields.required_object("registrationState")));
  TRY_STATUS(check_registration(state, registration));
  if (status == "assigned") return read_assignment(state);
  if (status == "failed" || status == "disabled") return Operation(Failed{status, first_text(state, {"errorMessage"})});
  return lie(fmt::format("the status \"{}\" is unknown", for_people(status)), "status");
}

Result<std::vector<Bytes>> parse_escrow_chain(std::string_view body) {
  TRY(const auto value, believed(wire::parse_json(body)));
  TRY(const auto fields, believed(JsonFields::of(value)));
  return reply_certificates(fields, "chain", tcb_protocol::kEscrowChainMax);
}

ServerError parse_server_error(std::string_view body) {
  const auto value = wire::parse_json(body);
  if (!value) return {};
  const auto fields = JsonFields::of(*value);
  if (!fields) return {};
  // DPS says trackingId, message and info.code; the native API (RFC 9457) tracking_id, detail and code.
  ServerError error{.code = first_text(*fields, {"code"}),
                    .message = first_text(*fields, {"message", "detail", "title"}),
                    .tracking_id = first_text(*fields, {"trackingId", "tracking_id"})};
  if (const auto info = fields->optional_object("info"); info && *info) error.code = first_text(**info, {"code"});
  return error;
}

}  // namespace warifu::agent

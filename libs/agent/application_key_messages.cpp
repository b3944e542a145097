#include "agent/application_key_messages.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <utility>

#include "agent/server_reply.h"
#include "tcb_protocol/limits.h"
#include "wire/json.h"

namespace warifu::agent {
namespace {

namespace json = boost::json;
using wire::JsonFields;

// More than any server of ours tells: each name with its versions that count, and those that were revoked.
constexpr std::size_t kToldMax = 512;
constexpr std::size_t kDigestTextMax = 64;  // base64 of 32 bytes has 44
constexpr std::uint64_t kPcrMax = 23;

constexpr std::array kToldStates = {
    std::pair{std::string_view("pending"), ApplicationKeyState::kPending},
    std::pair{std::string_view("active"), ApplicationKeyState::kActive},
    std::pair{std::string_view("revoked"), ApplicationKeyState::kRevoked},
};

Result<json::value> read_reply(std::string_view body) {
  auto value = wire::parse_json(body);
  if (!value) return lie(value.error().message, value.error().where);
  if (!value->is_object()) return lie("expected an object");
  return std::move(*value);
}

json::object named(const ApplicationKeyVersion& key) {
  return {{"name", key.name}, {"version", key.version}};
}

Result<ApplicationKeyState> read_told_state(const JsonFields& fields) {
  TRY(const auto text, believed(fields.required_string("state")));
  for (const auto& [name, state] : kToldStates)
    if (name == text) return state;
  return lie("expected pending, active or revoked", fields.path_of("state"));
}

Result<ToldApplicationKey> read_told_key(const JsonFields& fields) {
  ToldApplicationKey told;
  TRY(told.key.name, believed(fields.required_string("name")));
  if (!Label::parse(told.key.name)) return lie("expected the name of a key", fields.path_of("name"));
  TRY(const auto version, believed(fields.required_uint("version")));
  if (version == 0 || version > UINT32_MAX) return lie("expected a version", fields.path_of("version"));
  told.key.version = static_cast<std::uint32_t>(version);
  TRY(told.state, read_told_state(fields));
  TRY(const auto pcr, believed(fields.optional_uint("capped_by_pcr")));
  if (pcr && (*pcr == 0 || *pcr > kPcrMax)) return lie("expected a PCR", fields.path_of("capped_by_pcr"));
  told.capped_by_pcr = static_cast<std::uint8_t>(pcr.value_or(0));
  return told;
}

}  // namespace

std::string held_keys_body(const std::vector<ApplicationKeyVersion>& held, const std::string& digest) {
  json::array keys;
  for (const auto& key : held)
    keys.emplace_back(named(key));
  json::object body{{"held", std::move(keys)}};
  if (!digest.empty()) body["digest"] = digest;
  return json::serialize(body);
}

Result<ToldApplicationKeys> parse_told_keys(std::string_view body) {
  TRY(const auto value, read_reply(body));
  const JsonFields fields(value.get_object());
  ToldApplicationKeys told;
  TRY(told.digest, believed(fields.required_string("digest")));
  if (told.digest.size() > kDigestTextMax || !from_base64(told.digest))
    return lie("expected a digest", fields.path_of("digest"));
  TRY(const auto* list, believed(fields.optional_array("keys")));
  if (list == nullptr) return told;
  if (list->size() > kToldMax) return lie(fmt::format("expected at most {} keys", kToldMax), fields.path_of("keys"));
  told.keys.emplace();
  for (std::size_t i = 0; i < list->size(); ++i) {
    TRY(const auto one, believed(JsonFields::of((*list)[i], fmt::format("keys[{}]", i))));
    TRY(auto key, read_told_key(one));
    told.keys->push_back(std::move(key));
  }
  return told;
}

std::string delivery_body(const ApplicationKeyDelivery& delivery) {
  auto body = named(delivery.key);
  body["ek_public"] = to_base64(delivery.ek_public);
  body["srk_public"] = to_base64(delivery.srk_public);
  return json::serialize(body);
}

Result<Bytes> parse_delivery(std::string_view body) {
  TRY(const auto value, read_reply(body));
  return reply_bytes(JsonFields(value.get_object()), "authentication_key", tcb_protocol::kAuthenticationKeyMax);
}

Result<Bytes> parse_application_key_nonce(std::string_view body) {
  TRY(const auto value, read_reply(body));
  return reply_bytes(JsonFields(value.get_object()), "nonce", tcb_protocol::kServerNonceMax);
}

std::string acknowledgement_body(const ApplicationKeyVersion& key, const Bytes& nonce, const Bytes& mac) {
  auto body = named(key);
  body["nonce"] = to_base64(nonce);
  body["mac"] = to_base64(mac);
  return json::serialize(body);
}

std::string forgotten_body(const ApplicationKeyVersion& key) {
  return json::serialize(named(key));
}

}  // namespace warifu::agent

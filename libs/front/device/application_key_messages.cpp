#include "front/device/application_key_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>

#include "base/place.h"
#include "wire/json.h"

namespace warifu::front::device {
namespace {

namespace json = boost::json;
using application_keys::ApplicationKey;
using application_keys::KeyVersion;
using wire::JsonFields;

// What a device can hold: the active and the pending version of each name.
constexpr std::size_t kHeldMax = 2 * application_keys::kNamesMax;

net::HttpResponse not_stored(const json::object& object) {
  return {200, {{"Cache-Control", "no-store"}}, "application/json", json::serialize(object)};
}

Result<KeyVersion> read_key_version(const JsonFields& fields) {
  TRY(const auto text, fields.required_string("name"));
  auto name = Label::parse(text);
  if (!name) return at(std::move(name).error(), fields.path_of("name"));
  TRY(const auto version, fields.required_uint("version"));
  if (version == 0 || version > UINT32_MAX)
    return invalid_input("application-key.version", fmt::format("expected a version from 1 on, {} came", version),
                         fields.path_of("version"));
  return KeyVersion{*std::move(name), static_cast<std::uint32_t>(version)};
}

json::object key_object(const ApplicationKey& key) {
  json::object object{
      {"name", key.name.text()}, {"version", key.version}, {"state", application_keys::to_string(key.state)}};
  if (key.capped_by) object["capped_by_pcr"] = *key.capped_by;
  return object;
}

}  // namespace

Result<HeldKeysRequest> parse_held_keys_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"held", "digest"}));
  HeldKeysRequest request;
  TRY(const auto* held, fields.required_array("held"));
  if (held->size() > kHeldMax)
    return invalid_input("application-key.too-many",
                         fmt::format("a device has at most {} keys, {} came", kHeldMax, held->size()), "held");
  for (std::size_t i = 0; i < held->size(); ++i) {
    TRY(const auto one, JsonFields::of((*held)[i], fmt::format("held[{}]", i)));
    TRY_STATUS(one.refuse_unknown({"name", "version"}));
    TRY(auto key, read_key_version(one));
    request.held.push_back(std::move(key));
  }
  TRY(auto digest, fields.optional_bytes("digest"));
  request.digest = std::move(digest).value_or(Bytes());
  return request;
}

Result<DeliveryRequest> parse_delivery_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name", "version", "ek_public", "srk_public"}));
  TRY(auto key, read_key_version(fields));
  TRY(auto ek_public, fields.required_bytes("ek_public"));
  TRY(auto srk_public, fields.required_bytes("srk_public"));
  return DeliveryRequest{std::move(key), std::move(ek_public), std::move(srk_public)};
}

Result<AcknowledgementRequest> parse_acknowledgement_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name", "version", "nonce", "mac"}));
  TRY(auto key, read_key_version(fields));
  TRY(auto nonce, fields.required_bytes("nonce"));
  TRY(auto mac, fields.required_bytes("mac"));
  return AcknowledgementRequest{std::move(key), std::move(nonce), std::move(mac)};
}

Result<KeyVersion> parse_forgotten_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"name", "version"}));
  return read_key_version(fields);
}

net::HttpResponse told_response(std::span<const ApplicationKey> told, ByteView known_digest) {
  const Bytes digest = application_keys::digest_of(told);
  json::object body{{"digest", to_base64(digest)}};
  if (std::ranges::equal(digest, known_digest)) return not_stored(body);
  json::array keys;
  for (const auto& key : told)
    keys.emplace_back(key_object(key));
  body["keys"] = std::move(keys);
  return not_stored(body);
}

net::HttpResponse delivery_response(const application_keys::Desk::Wrapped& wrapped) {
  auto body = key_object(wrapped.record);
  body["authentication_key"] = to_base64(wrapped.authentication_key);
  return not_stored(body);
}

net::HttpResponse application_key_nonce_response(ByteView nonce, Timestamp expires_at) {
  return not_stored({{"nonce", to_base64(nonce)}, {"expires_at", to_rfc3339(expires_at)}});
}

net::HttpResponse application_key_response(const ApplicationKey& key) {
  return not_stored(key_object(key));
}

}  // namespace warifu::front::device

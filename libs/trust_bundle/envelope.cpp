#include "trust_bundle/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "trust_bundle/limits.h"
#include "wire/json.h"

namespace warifu::trust_bundle {
namespace {

namespace json = boost::json;
using wire::JsonFields;

constexpr std::size_t kEnvelopeDepthMax = 16;  // of members that are passed over

Error bad_envelope(std::string message, std::string where) {
  return invalid_input("bundle.envelope", std::move(message), std::move(where));
}

// DSSE: "either standard or URL-safe".
Result<Bytes> read_either_base64(const JsonFields& fields, std::string_view name) {
  TRY(const auto text, fields.required_string(name));
  std::string_view digits = text;
  const bool is_url_safe = digits.find_first_of("-_") != std::string_view::npos;
  for (int i = 0; is_url_safe && i < 2 && digits.ends_with('='); ++i)
    digits.remove_suffix(1);
  auto bytes = is_url_safe ? from_base64url(digits) : from_base64(digits);
  if (!bytes) return invalid_input("json.base64", bytes.error().message, fields.path_of(name));
  return bytes;
}

Result<Signature> read_signature(const json::value& element, std::string where) {
  TRY(const auto fields, JsonFields::of(element, std::move(where)));
  TRY(auto key_id, fields.optional_string("keyid"));
  TRY(auto bytes, read_either_base64(fields, "sig"));
  if (bytes.size() > kSignatureSizeMax)
    return bad_envelope(fmt::format("expected at most {} bytes, {} came", kSignatureSizeMax, bytes.size()),
                        fields.path_of("sig"));
  if (key_id && key_id->size() > kKeyIdTextMax)
    return bad_envelope(fmt::format("expected at most {} characters, {} came", kKeyIdTextMax, key_id->size()),
                        fields.path_of("keyid"));
  return Signature{std::move(key_id).value_or(std::string()), std::move(bytes)};
}

Result<std::vector<Signature>> read_signatures(const JsonFields& fields) {
  TRY(const json::array* array, fields.required_array("signatures"));
  if (array->size() > kSignaturesMax)
    return bad_envelope(fmt::format("expected at most {}, {} came", kSignaturesMax, array->size()), "signatures");
  std::vector<Signature> signatures;
  signatures.reserve(array->size());
  for (const json::value& element : *array) {
    TRY(auto signature, read_signature(element, fmt::format("signatures[{}]", signatures.size())));
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

}  // namespace

Bytes pre_authentication_encoding(std::string_view type, ByteView payload) {
  Bytes encoded = to_bytes(as_bytes(fmt::format("DSSEv1 {} {} {} ", type.size(), type, payload.size())));
  encoded.insert(encoded.end(), payload.begin(), payload.end());
  return encoded;
}

Result<Envelope> Envelope::parse(std::string_view text) {
  TRY(const auto value, wire::parse_json(text, {.max_bytes = kEnvelopeSizeMax, .max_depth = kEnvelopeDepthMax}));
  TRY(const auto fields, JsonFields::of(value));
  TRY(const auto type, fields.required_string("payloadType"));
  if (type != kPayloadType) return bad_envelope(fmt::format("expected \"{}\"", kPayloadType), "payloadType");
  TRY(auto payload, read_either_base64(fields, "payload"));
  TRY(auto signatures, read_signatures(fields));
  return Envelope(std::move(payload), std::move(signatures));
}

Envelope Envelope::of(const Payload& payload) {
  return Envelope(payload.bytes(), {});
}

std::string Envelope::to_json() const {
  json::array signatures;
  for (const Signature& signature : signatures_)
    signatures.push_back(json::object{{"keyid", signature.key_id}, {"sig", to_base64(signature.bytes)}});
  return json::serialize(json::object{
             {"payloadType", kPayloadType}, {"payload", to_base64(payload_)}, {"signatures", std::move(signatures)}}) +
         "\n";
}

Status Envelope::put(Signature signature) {
  const auto is_others = [&](const Signature& other) { return other.key_id != signature.key_id; };
  if (std::ranges::count_if(signatures_, is_others) >= static_cast<std::ptrdiff_t>(kSignaturesMax))
    return bad_envelope(fmt::format("it has {} signatures by other keys, and takes no more", kSignaturesMax),
                        "signatures");
  std::erase_if(signatures_, std::not_fn(is_others));
  signatures_.push_back(std::move(signature));
  return {};
}

Status Envelope::sign(const crypto::Signer& signer) {
  TRY(const auto key, SigningKey::of(signer.public_key()));
  TRY(auto bytes, signer.sign(pre_authentication_encoding(kPayloadType, payload_)));
  return put({key.id.hex(), std::move(bytes)});
}

Status Envelope::take_signatures(const Envelope& other, std::span<const KeyId> keys) {
  if (other.payload_ != payload_)
    return bad_envelope("expected signatures of this bundle: it is another one", "payload");
  const auto is_of_them = [&](const Signature& signature) {
    return std::ranges::any_of(keys, [&](const KeyId& key) { return key.hex() == signature.key_id; });
  };
  for (const Signature& signature : other.signatures_)
    if (is_of_them(signature)) TRY_STATUS(put(signature));
  return {};
}

bool Envelope::is_signed_by(const SigningKey& key) const {
  const std::string name = key.id.hex();
  const Bytes message = pre_authentication_encoding(kPayloadType, payload_);
  return std::ranges::any_of(signatures_, [&](const Signature& signature) {
    return signature.key_id == name && key.key.verify(message, signature.bytes).has_value();
  });
}

}  // namespace warifu::trust_bundle

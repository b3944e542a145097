#include "trust_bundle/payload_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/place.h"
#include "base/time_text.h"
#include "trust_bundle/limits.h"
#include "wire/json.h"

namespace warifu::trust_bundle {
namespace {

namespace json = boost::json;
using wire::JsonFields;

constexpr std::size_t kPayloadDepthMax = 8;

Error bad_member(std::string message, std::string where) {
  return invalid_input("bundle.format", std::move(message), std::move(where));
}

// The elements of the array `name`, each by `read(element, place)`.
template <class T, class Read>
Result<std::vector<T>> read_each(const JsonFields& fields, std::string_view name, std::size_t least, std::size_t most,
                                 Read read) {
  TRY(const json::array* array, fields.required_array(name));
  if (array->size() < least || array->size() > most)
    return bad_member(fmt::format("expected {} to {} elements, {} came", least, most, array->size()),
                      fields.path_of(name));
  std::vector<T> elements;
  elements.reserve(array->size());
  for (const json::value& element : *array) {
    TRY(T value, read(element, fmt::format("{}[{}]", fields.path_of(name), elements.size())));
    elements.push_back(std::move(value));
  }
  return elements;
}

// An element that is bytes in base64, read on by T::parse().
template <class T>
Result<T> read_bytes_element(const json::value& element, const std::string& where) {
  const auto* text = element.if_string();
  if (text == nullptr) return invalid_input("json.type", "expected base64 in a string", where);
  const auto bytes = from_base64(std::string_view(*text));
  if (!bytes) return invalid_input("json.base64", bytes.error().message, where);
  auto parsed = T::parse(*bytes);
  if (!parsed) return at(parsed.error(), where);
  return parsed;
}

// A member that is text, read on by `parse`.
template <class Parse>
auto read_text(const JsonFields& fields, std::string_view name, Parse parse) -> decltype(parse(std::string())) {
  TRY(const auto text, fields.required_string(name));
  auto parsed = parse(text);
  if (!parsed) return at(parsed.error(), fields.path_of(name));
  return parsed;
}

Result<Timestamp> parse_time(std::string_view text) {
  if (const auto time = parse_rfc3339(text)) return *time;
  return invalid_input("bundle.format", "expected a time in UTC like 2026-12-01T00:00:00Z");
}

// It is shown on terminals and in logs: no control characters, neither of ASCII nor of Latin-1 (C2 80 to C2 9F).
Result<std::string> parse_organisation(std::string_view text) {
  bool is_plain = !text.empty() && text.size() <= kOrganisationSizeMax;
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    is_plain = is_plain && byte >= 0x20 && byte != 0x7f && !(before == 0xc2 && byte < 0xa0);
    before = byte;
  }
  if (is_plain) return std::string(text);
  return invalid_input("bundle.format",
                       fmt::format("expected 1 to {} bytes without control characters", kOrganisationSizeMax));
}

Result<KeySet> read_key_set(const JsonFields& whole, std::string_view name) {
  TRY(const auto fields, whole.required_object(name));
  TRY_STATUS(fields.refuse_unknown({"threshold", "keys"}));
  TRY(const auto threshold, fields.required_uint("threshold"));
  TRY(auto keys, read_each<SigningKey>(fields, "keys", 1, kKeysMax, read_bytes_element<SigningKey>));
  if (threshold < 1 || threshold > keys.size())
    return bad_member(fmt::format("expected 1 to {}, as many keys as there are; {} came", keys.size(), threshold),
                      fields.path_of("threshold"));
  return KeySet{static_cast<std::size_t>(threshold), std::move(keys)};
}

Result<Role> read_role(const json::value& element, const std::string& where) {
  TRY(const auto fields, JsonFields::of(element, where));
  TRY_STATUS(fields.refuse_unknown({"role", "certificates"}));
  TRY(auto name, read_text(fields, "role", RoleName::parse));
  TRY(auto certificates,
      read_each<Listed>(fields, "certificates", 1, kRoleCertificatesMax, read_bytes_element<Listed>));
  return Role{std::move(name), std::move(certificates)};
}

Result<Revoked> read_revoked(const json::value& element, const std::string& where) {
  TRY(const auto fields, JsonFields::of(element, where));
  TRY_STATUS(fields.refuse_unknown({"key_sha256", "role", "revoked_at", "reason"}));
  TRY(const auto key, read_text(fields, "key_sha256", KeyId::parse));
  TRY(auto role, read_text(fields, "role", RoleName::parse));
  TRY(const auto moment, read_text(fields, "revoked_at", parse_time));
  TRY(const auto reason, read_text(fields, "reason", parse_reason));
  return Revoked{key, std::move(role), moment, reason};
}

Status check_format(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"format", "organisation", "version", "issued_at", "expires_at", "signing",
                                    "revocation", "roots", "roles", "revoked"}));
  TRY(const auto format, fields.required_string("format"));
  if (format == kPayloadFormat) return {};
  return bad_member(fmt::format("expected \"{}\"", kPayloadFormat), "format");
}

Result<std::uint64_t> read_version(const JsonFields& fields) {
  TRY(const auto version, fields.required_uint("version"));
  if (version >= 1 && version <= kVersionMax) return version;
  return bad_member(fmt::format("expected 1 to {}, {} came", kVersionMax, version), "version");
}

}  // namespace

Result<Contents> read_contents(ByteView text) {
  TRY(const auto value,
      wire::parse_json(as_text(text), {.max_bytes = kEnvelopeSizeMax, .max_depth = kPayloadDepthMax}));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(check_format(fields));
  Contents contents;
  TRY(contents.organisation, read_text(fields, "organisation", parse_organisation));
  TRY(contents.version, read_version(fields));
  TRY(contents.issued_at, read_text(fields, "issued_at", parse_time));
  TRY(contents.expires_at, read_text(fields, "expires_at", parse_time));
  if (contents.expires_at <= contents.issued_at) return bad_member("expected an end after issued_at", "expires_at");
  TRY(contents.signing, read_key_set(fields, "signing"));
  TRY(contents.revocation, read_key_set(fields, "revocation"));
  TRY(contents.roots, read_each<Listed>(fields, "roots", 1, kRootsMax, read_bytes_element<Listed>));
  TRY(contents.roles, read_each<Role>(fields, "roles", 0, kRolesMax, read_role));
  TRY(contents.revoked, read_each<Revoked>(fields, "revoked", 0, kRevokedMax, read_revoked));
  return contents;
}

}  // namespace warifu::trust_bundle

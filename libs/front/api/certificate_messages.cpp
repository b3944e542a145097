#include "front/api/certificate_messages.h"

#include <fmt/format.h>

#include "wire/json.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using crypto::RevocationReason;

}  // namespace

Result<crypto::SerialNumber> parse_serial(std::string_view text) {
  const auto bytes = from_hex(text);
  auto serial = bytes ? crypto::SerialNumber::from_bytes(*bytes) : Result<crypto::SerialNumber>(bytes.error());
  if (serial) return *serial;
  return Error{ErrorKind::kNotFound, "certificate.unknown",
               fmt::format("\"{}\" is no serial number in hexadecimal", text)};
}

Result<RevocationReason> parse_revocation(std::string_view body) {
  if (body.empty()) return RevocationReason::kUnspecified;
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"reason"}));
  TRY(const auto name, fields.optional_string("reason"));
  if (!name) return RevocationReason::kUnspecified;
  return device_ca::parse_reason(*name);
}

json::object to_json(const device_ca::DeviceCertificate& certificate, Timestamp renew_after) {
  json::object object{{"serial", to_hex(certificate.serial.bytes())},
                      {"registration_id", certificate.registration_id.text()},
                      {"kind", to_string(certificate.identity)},
                      {"protection", to_string(certificate.protection)},
                      {"state", to_string(certificate.state)},
                      {"door", to_string(certificate.door)},
                      {"key_sha256", to_hex(certificate.key_sha256)},
                      {"not_before", to_rfc3339(certificate.not_before)},
                      {"not_after", to_rfc3339(certificate.not_after)},
                      {"renew_after", to_rfc3339(renew_after)},
                      {"created_at", to_rfc3339(certificate.created_at)},
                      {"changed_at", to_rfc3339(certificate.changed_at)},
                      {"late", certificate.is_late}};
  if (!certificate.ek_name.empty()) object["ek_name"] = to_hex(certificate.ek_name);
  if (certificate.reason) object["reason"] = device_ca::reason_name(*certificate.reason);
  if (certificate.confirm_by) object["confirm_by"] = to_rfc3339(*certificate.confirm_by);
  if (!certificate.certificate.empty()) object["certificate"] = to_base64(certificate.certificate);
  return object;
}

json::object to_json(const device_ca::Desk::IssuedSecret& secret) {
  return {{"reference", secret.reference},
          {"secret", as_text(secret.secret.reveal())},
          {"expires_at", to_rfc3339(secret.expires_at)}};
}

}  // namespace warifu::front::api

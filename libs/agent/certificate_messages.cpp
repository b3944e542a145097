#include "agent/certificate_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>

#include "agent/server_reply.h"
#include "base/time_text.h"
#include "tcb_protocol/limits.h"
#include "wire/json.h"

namespace warifu::agent {
namespace {

namespace json = boost::json;
using wire::JsonFields;

constexpr std::size_t kSerialMax = 40;  // 20 bytes (RFC 5280 §4.1.2.2)
constexpr std::size_t kStateWordMax = 32;

// Its characters are printed, and stand in a line of a log.
template <class Allowed>
Result<std::string> read_word(const JsonFields& fields, std::string_view name, std::size_t size_max, Allowed allowed) {
  TRY(auto text, believed(fields.required_string(name)));
  if (text.empty() || text.size() > size_max || !std::ranges::all_of(text, allowed))
    return lie(fmt::format("expected a word of at most {} characters", size_max), fields.path_of(name));
  return text;
}

Result<Timestamp> read_time(const JsonFields& fields, std::string_view name) {
  TRY(const auto text, believed(fields.required_string(name)));
  const auto time = parse_rfc3339(text);
  if (time) return *time;
  return lie("expected a time like 2026-01-31T00:00:00Z", fields.path_of(name));
}

Result<CertificateStanding> read_standing(const JsonFields& fields) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  CertificateStanding standing;
  TRY(standing.serial, read_word(fields, "serial", kSerialMax, is_hex));
  TRY(standing.state, read_word(fields, "state", kStateWordMax, is_letter));
  TRY(standing.not_after, read_time(fields, "not_after"));
  TRY(standing.renew_after, read_time(fields, "renew_after"));
  return standing;
}

}  // namespace

std::string_view to_string(CertificateKind kind) {
  return kind == CertificateKind::kIDevId ? "idevid" : "ldevid";
}

Result<Bytes> parse_certificate_nonce(std::string_view body) {
  TRY(const auto value, read_object(body));
  return reply_bytes(JsonFields(value.get_object()), "nonce", tcb_protocol::kServerNonceMax);
}

std::string certificate_request_body(const CertificateRequest& request) {
  const auto& proof = request.proof;
  json::object body{{"kind", to_string(request.kind)},
                    {"nonce", to_base64(request.nonce)},
                    {"public", to_base64(proof.public_area)},
                    {"attest", to_base64(proof.attest)},
                    {"signature", to_base64(proof.signature)}};
  if (!proof.creation_data.empty()) body["creation_data"] = to_base64(proof.creation_data);
  body["issue"] = true;
  return json::serialize(body);
}

Result<IssuedCertificate> parse_issued_certificate(std::string_view body) {
  TRY(const auto value, read_object(body));
  const JsonFields fields(value.get_object());
  IssuedCertificate issued;
  TRY(issued.standing, read_standing(fields));
  TRY(auto leaf, reply_bytes(fields, "certificate", tcb_protocol::kCertificateMax));
  issued.chain.push_back(std::move(leaf));
  TRY(auto issuers, reply_certificates(fields, "chain", tcb_protocol::kDeviceChainMax - 1));
  std::ranges::move(issuers, std::back_inserter(issued.chain));
  return issued;
}

Result<CertificateStanding> parse_certificate_standing(std::string_view body) {
  TRY(const auto value, read_object(body));
  return read_standing(JsonFields(value.get_object()));
}

}  // namespace warifu::agent

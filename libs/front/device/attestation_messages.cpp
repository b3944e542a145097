#include "front/device/attestation_messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "attestation/appraisal/result_json.h"
#include "measured_boot/registers.h"
#include "verifier/limits.h"
#include "wire/json.h"

namespace warifu::front::device {
namespace {

using wire::JsonFields;

net::HttpResponse ok(const boost::json::object& object) {
  return {200, {{"Cache-Control", "no-store"}}, "application/json", boost::json::serialize(object)};
}

boost::json::object registers_of(const std::vector<attestation::RegisterPlace>& places) {
  boost::json::object banks;
  for (const auto& [bank, index] : places) {
    auto& list = banks[measured_boot::bank_name(bank)];
    if (!list.is_array()) list = boost::json::array();
    list.as_array().emplace_back(index);
  }
  return banks;
}

}  // namespace

Result<KeyRequest> parse_key_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"ek_public", "ak_public"}));
  TRY(const auto ek_bytes, fields.required_bytes("ek_public"));
  TRY(const auto ak_bytes, fields.required_bytes("ak_public"));
  TRY(auto ek, tpm::EkPublic::from_tpm2b(ek_bytes));
  TRY(auto area, tpm::PublicArea::from_tpm2b(ak_bytes));
  TRY(auto ak, attestation::AkPublic::from_public_area(std::move(area)));
  return KeyRequest{std::move(ek), std::move(ak)};
}

Result<ActivationRequest> parse_activation_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"session", "secret"}));
  TRY(auto session, fields.required_string("session"));
  TRY(auto secret, fields.required_bytes("secret"));
  return ActivationRequest{std::move(session), SecretBytes(std::move(secret))};
}

Result<std::string> parse_nonce_request(std::string_view body) {
  if (body.empty()) return std::string();
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"boot_id"}));
  TRY(auto boot_id, fields.optional_string("boot_id"));
  if (boot_id) TRY_STATUS(verifier::check_boot_id(*boot_id));
  return boot_id.value_or("");
}

net::HttpResponse to_response(const verifier::AkChallenge& challenge) {
  return ok({{"id_object", to_base64(challenge.credential.id_object)},
             {"encrypted_secret", to_base64(challenge.credential.encrypted_secret)},
             {"session", challenge.session},
             {"expires_at", to_rfc3339(challenge.expires_at)}});
}

net::HttpResponse to_response(const verifier::AttestationToken& token) {
  return ok({{"ak_name", to_hex(token.ak_name)}, {"token", token.text}, {"expires_at", to_rfc3339(token.expires_at)}});
}

net::HttpResponse to_response(const verifier::NonceAnswer& answer) {
  boost::json::object log;
  if (!answer.known_event_log.empty()) log["known_sha256"] = to_hex(answer.known_event_log);
  return ok({{"nonce", to_base64(answer.nonce)},
             {"expires_at", to_rfc3339(answer.expires_at)},
             {"registers", registers_of(answer.registers)},
             {"event_log", std::move(log)},
             {"ima", {{"offset", answer.ima.offset}, {"entries", answer.ima.entries}}}});
}

net::HttpResponse to_response(const verifier::Judged& judged, std::string_view tracking_id) {
  auto object = attestation::layers_json(judged.appraised.result);
  object["tracking_id"] = tracking_id;
  const verifier::Ledger& next = judged.appraised.next;
  object["next_after_seconds"] = std::chrono::floor<std::chrono::seconds>(next.next_due_at - next.attested_at).count();
  return ok(object);
}

}  // namespace warifu::front::device

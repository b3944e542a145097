#include "front/api/verification_messages.h"

#include <boost/json/serialize.hpp>

#include "attestation/appraisal/result_json.h"
#include "attestation/ear/ear_claims.h"
#include "front/api/body_limits.h"
#include "front/api/fields.h"
#include "measured_boot/registers_json.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

// That nobody looks at freshness is said, and does not happen by leaving something out.
Result<std::optional<Bytes>> parse_nonce(const wire::JsonFields& fields) {
  TRY(auto nonce, fields.optional_bytes("nonce"));
  TRY(const auto any, fields.optional_bool("any_nonce"));
  if (nonce.has_value() == any.value_or(false))
    return invalid_input("evidence.nonce", R"(expected either "nonce" or "any_nonce": true)", "nonce");
  return nonce;
}

Result<attestation::Evidence> parse_evidence(const wire::JsonFields& fields) {
  attestation::Evidence evidence;
  TRY(evidence.message, fields.required_bytes("quote"));
  TRY(evidence.signature, fields.required_bytes("signature"));
  TRY_STATUS(fields.required_object("registers"));
  auto claimed = measured_boot::parse_register_values(json::serialize(*fields.find("registers")));
  if (!claimed) return at(std::move(claimed).error(), "registers");
  evidence.claimed = *std::move(claimed);
  TRY(evidence.event_log, fields.optional_bytes("event_log"));
  TRY(evidence.userspace_log, fields.optional_bytes("userspace_log"));
  TRY(evidence.ima_list, fields.optional_bytes("ima"));
  return evidence;
}

Status parse_require(const wire::JsonFields& fields, VerificationRequest& request) {
  TRY(const auto* array, fields.optional_array("require"));
  if (array == nullptr) return {};
  for (const auto& element : *array) {
    if (!element.is_string()) return invalid_input("json.type", "registers are a text, like \"sha256:0-7\"", "require");
    auto places = attestation::parse_register_places(std::string_view(element.get_string()));
    if (!places) return at(std::move(places).error(), "require");
    request.required.insert(request.required.end(), places->begin(), places->end());
  }
  return {};
}

Status parse_policy(const wire::JsonFields& fields, VerificationRequest& request) {
  TRY(const auto object, fields.optional_object("policy"));
  if (!object) return {};
  const std::string text = json::serialize(*fields.find("policy"));
  auto policy = attestation::parse_evidence_policy(text);
  if (!policy) return at(std::move(policy).error(), "policy");
  request.required.insert(request.required.end(), policy->registers.begin(), policy->registers.end());
  request.policy = *std::move(policy);
  request.policy_id = attestation::policy_id_of(text);
  return {};
}

}  // namespace

Result<VerificationRequest> parse_verification(std::string_view body) {
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kEvidenceBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(
      fields.refuse_unknown({"ak_public", "quote", "signature", "nonce", "any_nonce", "registers", "event_log",
                             "userspace_log", "ima", "require", "policy", "allow_sha1", "audience", "eat_nonce"}));
  VerificationRequest request;
  TRY(request.audience, fields.required_string("audience"));
  TRY(request.relying_party_nonce, fields.optional_string("eat_nonce"));
  TRY(request.nonce, parse_nonce(fields));
  TRY(request.ak_public, fields.required_bytes("ak_public"));
  TRY(request.evidence, parse_evidence(fields));
  TRY_STATUS(parse_require(fields, request));
  TRY_STATUS(parse_policy(fields, request));
  TRY(const auto sha1, fields.optional_bool("allow_sha1"));
  if (sha1.value_or(false)) request.sha1 = attestation::Sha1Use::kAllowed;
  return request;
}

json::object to_json(const attestation::EvidenceOutcome& outcome) {
  json::object object = attestation::to_json(outcome.result);
  object["quote"] = outcome.quote ? json::value(attestation::to_json(*outcome.quote)) : json::value();
  object["pcrs"] = outcome.registers ? json::value(measured_boot::to_json(outcome.registers->values())) : json::value();
  return object;
}

}  // namespace warifu::front::api

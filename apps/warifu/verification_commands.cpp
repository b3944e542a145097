#include "warifu/verification_commands.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "measured_boot/registers_json.h"
#include "warifu/policy_text.h"
#include "warifu/quote_evidence.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kVerifiedLines = with_layers({{"overall", "result.overall"}}, {{"token", "ear"}});

void add(json::object& body, std::string_view name, const std::optional<Bytes>& bytes) {
  if (bytes) body[name] = to_base64(*bytes);
}

Result<std::string> request_of(const VerificationOptions& options) {
  TRY(const QuoteEvidence evidence, read_quote_evidence(options.evidence));
  json::object body{{"audience", options.audience},
                    {"ak_public", to_base64(evidence.ak)},
                    {"quote", to_base64(evidence.shown.message)},
                    {"signature", to_base64(evidence.shown.signature)},
                    {"registers", measured_boot::to_json(*evidence.shown.claimed)},
                    {"allow_sha1", options.evidence.allow_sha1}};
  if (!options.eat_nonce.empty()) body["eat_nonce"] = options.eat_nonce;
  if (!evidence.nonce) body["any_nonce"] = true;
  add(body, "nonce", evidence.nonce);
  add(body, "event_log", evidence.shown.event_log);
  add(body, "userspace_log", evidence.shown.userspace_log);
  add(body, "ima", evidence.shown.ima_list);
  if (!options.evidence.required.empty())
    body["require"] = json::array(options.evidence.required.begin(), options.evidence.required.end());
  if (!options.evidence.policy_file.empty()) {
    TRY(const auto policy, read_policy_text(options.evidence.policy_file));
    TRY(body["policy"], wire::parse_json(policy, {.max_bytes = policy.size()}));
  }
  return json::serialize(body);
}

}  // namespace

Status verify_on_server(const Context& context, const VerificationOptions& options) {
  TRY(const auto body, request_of(options));
  TRY(const auto api, client_of(context));
  TRY(const auto answer, api.post_once("/api/v1/attestation/verify", body));
  print(context, answer, kVerifiedLines);
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto result, fields.required_object("result"));
  TRY(const auto overall, result.required_string("overall"));
  if (overall != "contraindicated") return {};
  return Error{ErrorKind::kRefused, "attestation.contraindicated",
               "the evidence contradicts itself, its signature or the policy"};
}

}  // namespace warifu::cli

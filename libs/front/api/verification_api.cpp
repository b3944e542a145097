#include "front/api/verification_api.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "front/api/fields.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/well_known/jwks_route.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using namespace attestation;

// As `warifu quote verify` judges it: an AK that is refused is a finding, one that is malformed is an error.
Status appraise(const VerificationRequest& request, Timestamp now, EvidenceOutcome& outcome) {
  auto ak = AkPublic::from_tpm_public(request.ak_public, request.sha1);
  if (!ak) {
    if (ak.error().kind != ErrorKind::kRefused) return at(std::move(ak).error(), "ak_public");
    add_refusal(ak.error(), outcome.result);
    return ak.error();
  }
  const EvidenceTerms terms{.nonce = request.nonce,
                            .required = request.required,
                            .policy = request.policy ? &*request.policy : nullptr,
                            .sha1 = request.sha1,
                            .now = now};
  return appraise_evidence(request.evidence, *ak, terms, outcome);
}

audit::Entry entry_of(const Call& call, const EarTerms& terms, const AttestationResult& result) {
  return {actor_of(call), "attestation.verify", terms.subject,
          json::serialize(json::object{
              {"jti", terms.token_id}, {"audience", terms.audience}, {"overall", to_string(result.overall())}})};
}

}  // namespace

std::vector<Route> VerificationApi::routes() {
  return {
      {net::Method::kPost, "/api/v1/attestation/verify", Access::demands(operators::Permission::kAttestationVerify),
       [this](const Call& call) { return verify(call); }},
      well_known::jwks_route(keys_, clock_),
  };
}

EarTerms VerificationApi::terms_of(const Call& call, const VerificationRequest& request) const {
  const Timestamp now = clock_.now();
  const std::string& scope = call.principal->scope.text();
  EarTerms terms;
  terms.issuer = "warifu/" + scope;
  terms.id_scope = scope;
  terms.audience = request.audience;
  terms.token_id = Uuid::v7(now, entropy_).text();
  terms.build = build_;
  terms.issued_at = now;
  terms.attested_at = now;
  terms.relying_party_nonce = request.relying_party_nonce;
  if (request.policy) terms.policies.push_back(request.policy_id);
  return terms;
}

Result<Answer> VerificationApi::verify(const Call& call) {
  TRY(const auto request, parse_verification(call.request.body));
  EarTerms terms = terms_of(call, request);
  TRY_STATUS(check(terms));
  EvidenceOutcome outcome;
  const Status done = appraise(request, terms.attested_at, outcome);
  if (!done && outcome.result.findings().empty()) return done.error();
  json::object body{{"result", to_json(outcome)}, {"ear", nullptr}};
  // Without a quote that this AK signed nothing was said by it: whoever shows forged evidence must not get a token that
  // speaks ill of somebody else's device.
  if (!outcome.quote) return Answer(json_response(200, body));

  terms.subject = "ak:" + outcome.quote->ak().identity()->name.text();
  terms.evidence_nonce = outcome.quote->attest().extra_data;
  TRY(const auto claims, ear_claims(outcome.result, terms));
  TRY(const auto token, keys_.signer(terms.issued_at)->sign(claims, kEarTokenType));
  body["ear"] = token;
  return Answer(Durable{[scope = call.principal->scope, entry = entry_of(call, terms, outcome.result),
                         body = std::move(body)](store::Transaction& transaction) -> Result<Decision> {
    TRY_STATUS(transaction.audit().record(scope, entry));
    return Decision(json_response(200, body));
  }});
}

}  // namespace warifu::front::api

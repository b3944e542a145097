#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "attestation/appraisal/policy_file.h"
#include "front/http/route.h"
#include "verifier/policy_desk.h"
#include "verifier/policy_trial.h"
#include "verifier/records.h"

// Attestations of devices and the policies that judge them, as JSON (docs/openapi/warifu-v1.yaml).
namespace warifu::front::api {

// {"policy": warifu.evidence-policy.v1, "mode"?: "enforce" | "review"} for `target`. Codes beside those of
// attestation::parse_evidence_policy(): "policy.mode"; "policy.machine" for one that would be that of every device.
struct ReadPolicy {
  verifier::PolicyRequest request;
  attestation::EvidencePolicy demands;
};
Result<ReadPolicy> parse_policy_request(std::string_view body, std::string target);
// The same with "at"?: RFC 3339, as if it were that time. Code beside those: "policy.at".
struct ReadTrial {
  ReadPolicy policy;
  std::optional<Timestamp> at;
};
Result<ReadTrial> parse_trial_request(std::string_view body, std::string target);

// {"reason"}: one line. "attestation.reason".
Result<std::string> parse_reason(std::string_view body);

// As page_of(), in the order of a text.
Result<verifier::Page> text_page_of(const Call& call);
// ?before=NUMBER: what is older. kInvalidInput "request.before".
Result<std::int64_t> before_of(const Call& call);

boost::json::object to_json(const verifier::PolicyInfo& policy);
// With its document. "store.corrupt".
Result<boost::json::object> to_json(const verifier::StoredPolicy& policy);

// The findings are those that the policy of today does not have.
boost::json::object to_json(const verifier::Trial& trial);
// Those of `then` with weight that `now` does not have.
boost::json::array new_findings(const attestation::AttestationResult& now, const attestation::AttestationResult& then);

boost::json::object to_json(const verifier::LedgerInfo& info, Timestamp now);
// What was found, and what the next quote is compared with. "store.corrupt".
Result<boost::json::object> to_json(const verifier::Ledger& ledger, Timestamp now);
boost::json::object to_json(const verifier::BoundAk& ak);
Result<boost::json::object> to_json(const verifier::EvidenceInfo& info);
// All of it, but for the boot log, which has a route of its own.
Result<boost::json::object> to_json(const verifier::KeptEvidence& evidence);

}  // namespace warifu::front::api

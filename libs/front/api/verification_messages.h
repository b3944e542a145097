#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/appraisal/evidence.h"

namespace warifu::front::api {

// POST /api/v1/attestation/verify: evidence that somebody shows, and for whom the answer is.
struct VerificationRequest {
  Bytes ak_public;  // TPMT_PUBLIC or TPM2B_PUBLIC
  attestation::Evidence evidence;
  std::optional<Bytes> nonce;  // nullopt: any, and that was said
  std::vector<attestation::RegisterPlace> required;
  std::optional<attestation::EvidencePolicy> policy;
  std::string policy_id;  // of the policy
  attestation::Sha1Use sha1 = attestation::Sha1Use::kRefused;
  std::string audience;
  std::optional<std::string> relying_party_nonce;
};

// Codes, beside those of wire::JsonFields, parse_register_values(), parse_evidence_policy() and
// parse_register_places(): "evidence.nonce" (both or none of nonce and any_nonce).
Result<VerificationRequest> parse_verification(std::string_view body);

// As `warifu quote verify --json` prints it, without the claims of a boot log.
boost::json::object to_json(const attestation::EvidenceOutcome& outcome);

}  // namespace warifu::front::api

#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/appraisal/result.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

// Attestation results that others can rely on: an EAR (draft-ietf-rats-ear-04) with the trustworthiness vector of AR4SI
// (draft-ietf-rats-ar4si-09). docs/protocols/attestation-results.md says what maps on what, and why.
namespace warifu::attestation {

inline constexpr std::string_view kEarProfile = "tag:ietf.org,2026:rats/ear#04";
// `typ` of the token: the media type of an EAT as JWT (RFC 9782) without its "application/" (RFC 7515 §4.1.9).
inline constexpr std::string_view kEarTokenType = "eat+jwt";
// The submodule that the appraisal stands in: what a TPM attests to.
inline constexpr std::string_view kEarSubmodule = "tpm";
// Long enough to be shown to whom it is for; a device that falls must not live on the day before.
inline constexpr std::chrono::minutes kEarLifetime{5};

inline constexpr std::size_t kAudienceSizeMax = 256;

// How trustworthy, as AR4SI counts (section 2.3.2): a tier is named by where it begins.
struct TrustworthinessVector {
  std::int8_t instance_identity = 0;
  std::int8_t configuration = 0;
  std::int8_t executables = 0;
  std::int8_t file_system = 0;
  std::int8_t hardware = 0;
  std::int8_t runtime_opaque = 0;
  std::int8_t storage_opaque = 0;
  std::int8_t sourced_data = 0;

  friend bool operator==(const TrustworthinessVector&, const TrustworthinessVector&) = default;
};
// What was not appraised is 0 ("none"), and never affirms.
TrustworthinessVector vector_of(const AttestationResult& result);

// Whom a result is about, from whom, for whom, and when.
struct EarTerms {
  std::string issuer;    // the organisation's verifier, whichever node it is
  std::string subject;   // of whom: a device ID, or "ak:" and a Name
  std::string id_scope;  // in which that is one
  std::string audience;  // for whom; nobody else may accept it
  std::string token_id;
  std::string build;  // of the verifier, "warifud 0.1.0"
  Timestamp issued_at;
  Timestamp attested_at;                                // when the evidence was judged
  std::optional<std::string> relying_party_nonce = {};  // base64url of 8 to 64 bytes, echoed as it came
  std::optional<Bytes> evidence_nonce = {};             // what the quote answers
  std::vector<std::string> policies = {};               // IDs, in the order in which they were applied
};

// "ear.audience", "ear.nonce" (kInvalidInput).
Status check(const EarTerms& terms);

// The claims of a token that is good from `issued_at` for kEarLifetime. Errors are those of check().
// Of the findings it has the codes: what was expected and what came is the operator's.
Result<boost::json::object> ear_claims(const AttestationResult& result, const EarTerms& terms);

// RFC 6920, "ni:///sha-256;…": the name of a policy that has no other.
std::string policy_id_of(std::string_view policy);

}  // namespace warifu::attestation

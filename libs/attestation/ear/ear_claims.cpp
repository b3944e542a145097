#include "attestation/ear/ear_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdlib>
#include <set>
#include <tuple>

#include "crypto/digest.h"

namespace warifu::attestation {
namespace {

namespace json = boost::json;

constexpr std::int8_t kNoClaim = 0;
constexpr std::int8_t kAffirmed = 2;
// Of executables: approved ones were loaded in the boot, and of what came after it nothing is said.
constexpr std::int8_t kApprovedBoot = 3;

// RFC 9711 §4.1.
constexpr std::size_t kNonceBytesMin = 8;
constexpr std::size_t kNonceBytesMax = 64;

std::int8_t claim_of(Tier tier) {
  switch (tier) {
    case Tier::kNone:
      return kNoClaim;
    case Tier::kAffirming:
      return kAffirmed;
    case Tier::kWarning:
      return 32;
    case Tier::kContraindicated:
      return 96;
  }
  std::abort();
}

// What one claim says that rests on both: the worse of two that are bad, and good only when both are.
Tier both(Tier one, Tier other) {
  const Tier worst = std::max(one, other);
  return worst == Tier::kAffirming ? std::min(one, other) : worst;
}

std::int8_t executables_of(const AttestationResult& result) {
  const Tier boot = result.of(Layer::kBoot);
  const Tier runtime = result.of(Layer::kRuntime);
  if (boot == Tier::kAffirming && runtime == Tier::kNone) return kApprovedBoot;
  return claim_of(both(boot, runtime));
}

json::object to_json(const TrustworthinessVector& vector) {
  return {{"instance-identity", vector.instance_identity},
          {"configuration", vector.configuration},
          {"executables", vector.executables},
          {"file-system", vector.file_system},
          {"hardware", vector.hardware},
          {"runtime-opaque", vector.runtime_opaque},
          {"storage-opaque", vector.storage_opaque},
          {"sourced-data", vector.sourced_data}};
}

// Each code once in its layer, however often it was found.
json::array codes_of(const AttestationResult& result) {
  std::set<std::tuple<Layer, Tier, std::string_view>> seen;
  json::array codes;
  for (const Finding& finding : result.findings()) {
    if (!seen.emplace(finding.layer, finding.tier, finding.code).second) continue;
    codes.push_back(
        json::object{{"layer", to_string(finding.layer)}, {"tier", to_string(finding.tier)}, {"code", finding.code}});
  }
  return codes;
}

std::int64_t seconds_of(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

json::object verifier_claims(const AttestationResult& result, const EarTerms& terms) {
  json::object layers;
  for (const Layer layer : kLayers)
    layers[to_string(layer)] = to_string(result.of(layer));
  return {{"warifu_attested_at", seconds_of(terms.attested_at)},
          {"warifu_layers", std::move(layers)},
          {"warifu_findings", codes_of(result)}};
}

bool is_nonce_size(std::size_t size) {
  return size >= kNonceBytesMin && size <= kNonceBytesMax;
}

json::object appraisal(const AttestationResult& result, const EarTerms& terms) {
  // overall() is affirming only when all layers are, so it never says more than the vector (EAR, section 3.1).
  json::object appraisal{{"ear_status", to_string(result.overall())},
                         {"ear_trustworthiness_vector", to_json(vector_of(result))}};
  if (!terms.policies.empty())
    appraisal["ear_appraisal_policy_ids"] = json::array(terms.policies.begin(), terms.policies.end());
  if (terms.evidence_nonce && is_nonce_size(terms.evidence_nonce->size()))
    appraisal["eat_nonce"] = to_base64url(*terms.evidence_nonce);
  appraisal["ear_verifier_claims"] = verifier_claims(result, terms);
  return appraisal;
}

Status check_audience(const std::string& audience) {
  const bool is_text = std::ranges::all_of(audience, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!audience.empty() && audience.size() <= kAudienceSizeMax && is_text) return {};
  return invalid_input("ear.audience",
                       fmt::format("the audience names who may rely on the result, in 1 to {} visible ASCII "
                                   "characters, like https://broker.example",
                                   kAudienceSizeMax),
                       "audience");
}

Status check_nonce(const std::optional<std::string>& nonce) {
  if (!nonce) return {};
  const auto bytes = from_base64url(*nonce);
  if (bytes && is_nonce_size(bytes->size())) return {};
  return invalid_input("ear.nonce",
                       fmt::format("the relying party's nonce is base64url, without padding, of {} to {} bytes",
                                   kNonceBytesMin, kNonceBytesMax),
                       "eat_nonce");
}

}  // namespace

TrustworthinessVector vector_of(const AttestationResult& result) {
  TrustworthinessVector vector;
  vector.instance_identity = claim_of(both(result.of(Layer::kIdentity), result.of(Layer::kFreshness)));
  vector.configuration = claim_of(result.of(Layer::kConfiguration));
  vector.executables = executables_of(result);
  vector.hardware = claim_of(result.of(Layer::kHardware));
  return vector;
}

Status check(const EarTerms& terms) {
  TRY_STATUS(check_audience(terms.audience));
  return check_nonce(terms.relying_party_nonce);
}

Result<json::object> ear_claims(const AttestationResult& result, const EarTerms& terms) {
  TRY_STATUS(check(terms));
  const auto issued = seconds_of(terms.issued_at);
  json::object claims{{"eat_profile", kEarProfile},
                      {"iss", terms.issuer},
                      {"sub", terms.subject},
                      {"aud", terms.audience},
                      {"iat", issued},
                      {"nbf", issued},
                      {"exp", issued + std::chrono::seconds(kEarLifetime).count()},
                      {"jti", terms.token_id}};
  if (terms.relying_party_nonce) claims["eat_nonce"] = *terms.relying_party_nonce;
  claims["warifu_id_scope"] = terms.id_scope;
  claims["ear_verifier_id"] = json::object{{"developer", "Warifu"}, {"build", terms.build}};
  claims["ear_status"] = to_string(result.overall());
  claims["submods"] = json::object{{kEarSubmodule, appraisal(result, terms)}};
  return claims;
}

std::string policy_id_of(std::string_view policy) {
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(policy)});
  return fmt::format("ni:///sha-256;{}", to_base64url(digest.bytes()));
}

}  // namespace warifu::attestation

#include "attestation/ear/ear_claims.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace warifu::attestation {
namespace {

namespace json = boost::json;

AttestationResult result_of(Tier identity, Tier hardware, Tier boot, Tier configuration, Tier runtime, Tier freshness) {
  AttestationResult result;
  const std::array tiers = {identity, hardware, boot, configuration, runtime, freshness};
  for (std::size_t i = 0; i < kLayers.size(); ++i)
    result.add({kLayers[i], tiers[i], "test.code", "told to operators", "/a/secret/path", "expected digest", "came"});
  return result;
}

AttestationResult all(Tier tier) {
  return result_of(tier, tier, tier, tier, tier, tier);
}

EarTerms terms() {
  EarTerms terms;
  terms.issuer = "warifu/0wf00000001";
  terms.subject = "meter-1";
  terms.id_scope = "0wf00000001";
  terms.audience = "https://broker.example";
  terms.token_id = "01a2b3c4-0000-7000-8000-000000000001";
  terms.build = "warifud 0.1.0";
  terms.issued_at = Timestamp(std::chrono::seconds(1'790'000'000)) + std::chrono::microseconds(999'999);
  terms.attested_at = Timestamp(std::chrono::seconds(1'789'999'990));
  return terms;
}

constexpr Tier kN = Tier::kNone;
constexpr Tier kA = Tier::kAffirming;
constexpr Tier kW = Tier::kWarning;
constexpr Tier kC = Tier::kContraindicated;

TEST(EarClaims, AreTheseForADeviceThatIsGood) {
  auto asked = terms();
  asked.relying_party_nonce = to_base64url(Bytes(16, 0x5A));
  asked.evidence_nonce = Bytes(32, 0xA5);
  asked.policies = {"ni:///sha-256;one", "warifu/policy/gateways@3"};
  const auto claims = ear_claims(all(kA), asked).value();
  const auto golden = json::parse(R"({
    "eat_profile": "tag:ietf.org,2026:rats/ear#04",
    "iss": "warifu/0wf00000001", "sub": "meter-1", "aud": "https://broker.example",
    "iat": 1790000000, "nbf": 1790000000, "exp": 1790000300, "jti": "01a2b3c4-0000-7000-8000-000000000001",
    "eat_nonce": "WlpaWlpaWlpaWlpaWlpaWg",
    "warifu_id_scope": "0wf00000001",
    "ear_verifier_id": {"developer": "Warifu", "build": "warifud 0.1.0"},
    "ear_status": "affirming",
    "submods": {"tpm": {
      "ear_status": "affirming",
      "ear_trustworthiness_vector": {"instance-identity": 2, "configuration": 2, "executables": 2, "file-system": 0,
        "hardware": 2, "runtime-opaque": 0, "storage-opaque": 0, "sourced-data": 0},
      "ear_appraisal_policy_ids": ["ni:///sha-256;one", "warifu/policy/gateways@3"],
      "eat_nonce": "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
      "ear_verifier_claims": {
        "warifu_attested_at": 1789999990,
        "warifu_layers": {"identity": "affirming", "hardware": "affirming", "boot": "affirming",
          "configuration": "affirming", "runtime": "affirming", "freshness": "affirming"},
        "warifu_findings": [
          {"layer": "identity", "tier": "affirming", "code": "test.code"},
          {"layer": "hardware", "tier": "affirming", "code": "test.code"},
          {"layer": "boot", "tier": "affirming", "code": "test.code"},
          {"layer": "configuration", "tier": "affirming", "code": "test.code"},
          {"layer": "runtime", "tier": "affirming", "code": "test.code"},
          {"layer": "freshness", "tier": "affirming", "code": "test.code"}]}}}})");
  EXPECT_EQ(json::value(claims), golden) << json::serialize(claims);
}

struct ClaimRow {
  AttestationResult result;
  TrustworthinessVector vector;
  std::string_view status;
};

TEST(EarClaims, MapTheSixLayersOnTheVectorOfAr4si) {
  const std::vector<ClaimRow> rows = {
      {AttestationResult(), {}, "none"},
      {all(kN), {}, "none"},
      {all(kW), {.instance_identity = 32, .configuration = 32, .executables = 32, .hardware = 32}, "warning"},
      {all(kC), {.instance_identity = 96, .configuration = 96, .executables = 96, .hardware = 96}, "contraindicated"},
      // Of the boot alone; and of what ran after a boot that nobody looked at.
      {result_of(kA, kA, kA, kA, kN, kA),
       {.instance_identity = 2, .configuration = 2, .executables = 3, .hardware = 2},
       "none"},
      {result_of(kA, kA, kN, kA, kA, kA), {.instance_identity = 2, .configuration = 2, .hardware = 2}, "none"},
      {result_of(kA, kA, kC, kA, kA, kA),
       {.instance_identity = 2, .configuration = 2, .executables = 96, .hardware = 2},
       "contraindicated"},
      {result_of(kA, kA, kA, kA, kW, kA),
       {.instance_identity = 2, .configuration = 2, .executables = 32, .hardware = 2},
       "warning"},
      // Whose quote may be an old one is not known to be here.
      {result_of(kA, kA, kA, kA, kA, kN), {.configuration = 2, .executables = 2, .hardware = 2}, "none"},
      {result_of(kA, kA, kA, kA, kA, kC),
       {.instance_identity = 96, .configuration = 2, .executables = 2, .hardware = 2},
       "contraindicated"},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(vector_of(rows[i].result), rows[i].vector) << "row " << i;
    const auto claims = ear_claims(rows[i].result, terms()).value();
    EXPECT_EQ(claims.at("ear_status").as_string(), rows[i].status) << "row " << i;
    EXPECT_EQ(claims.at("submods").at("tpm").at("ear_status").as_string(), rows[i].status) << "row " << i;
  }
}

// EAR, section 3.1: the status is of no higher trust than the worst claim.
TEST(EarClaims, NeverHaveAStatusThatIsBetterThanAClaim) {
  const std::array tiers = {kN, kA, kW, kC};
  for (const Tier a : tiers)
    for (const Tier b : tiers)
      for (const Tier c : tiers) {
        const auto result = result_of(a, b, c, b, a, c);
        const auto vector = vector_of(result);
        const auto worst =
            std::max({vector.instance_identity, vector.configuration, vector.executables, vector.hardware});
        EXPECT_TRUE(worst < 96 || result.overall() == kC);
        EXPECT_TRUE(worst < 32 || result.overall() >= kW);
        EXPECT_TRUE(result.overall() != kA || worst == 2);
      }
}

TEST(EarClaims, TellCodesAndNothingThatIsTheOperators) {
  auto result = all(kC);
  result.add({Layer::kBoot, kC, "test.code", "again", "/a/secret/path", "", "", "waiver-7"});
  const auto text = json::serialize(ear_claims(result, terms()).value());
  for (const char* detail : {"told to operators", "/a/secret/path", "expected digest", "came", "waiver-7"})
    EXPECT_EQ(text.find(detail), std::string::npos) << detail;
  EXPECT_EQ(ear_claims(result, terms())
                .value()
                .at("submods")
                .at("tpm")
                .at("ear_verifier_claims")
                .at("warifu_findings")
                .as_array()
                .size(),
            6u);
}

TEST(EarClaims, AreForSomebody) {
  for (const std::string& audience :
       {std::string(), std::string("two words"), std::string("a\nb"), std::string(257, 'a')}) {
    auto asked = terms();
    asked.audience = audience;
    const auto refused = ear_claims(all(kA), asked);
    ASSERT_FALSE(refused) << audience;
    EXPECT_EQ(refused.error().code, "ear.audience");
  }
}

TEST(EarClaims, EchoANonceOnlyIfItIsOne) {
  for (const std::string& nonce : {std::string(), to_base64url(Bytes(7)), to_base64url(Bytes(65)),
                                   std::string("no base64!!!"), to_base64(Bytes(16, 0xFF))}) {
    auto asked = terms();
    asked.relying_party_nonce = nonce;
    const auto refused = ear_claims(all(kA), asked);
    ASSERT_FALSE(refused) << nonce;
    EXPECT_EQ(refused.error().code, "ear.nonce");
  }
  EXPECT_FALSE(ear_claims(all(kA), terms()).value().contains("eat_nonce"));
}

TEST(EarClaims, NameAPolicyByItsDigest) {
  // RFC 6920, section 8.1.
  EXPECT_EQ(policy_id_of("Hello World!"), "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk");
}

}  // namespace
}  // namespace warifu::attestation

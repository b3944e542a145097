#include "front/api/verification_api.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "attestation/quote/test_quote.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::test {
namespace {

namespace json = boost::json;
using namespace attestation;

using World = BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

const std::string kPath = "/api/v1/attestation/verify";

class VerificationApiTest : public testing::Test {
 protected:
  World world_;
  Operator operator_{world_.server};
  const SoftwareAk ak_ = SoftwareAk::of(crypto::KeyKind::kEcP256);
  const measured_boot::RegisterValues values_ = some_values({crypto::HashAlgorithm::kSha256});

  // A request that is right.
  json::object request(bool forged = false) const {
    const auto fields = fields_of(values_, {selected(crypto::HashAlgorithm::kSha256, {0, 1, 2, 3, 4, 5, 6, 7})},
                                  crypto::HashAlgorithm::kSha256);
    const Bytes message = attest_of(fields);
    const Bytes signature = forged ? SoftwareAk::of(crypto::KeyKind::kEcP256).sign(message) : ak_.sign(message);
    return {{"ak_public", to_base64(ak_.tpmt())}, {"quote", to_base64(message)},
            {"signature", to_base64(signature)},  {"nonce", to_base64(fields.nonce)},
            {"registers", measured_boot_json()},  {"audience", "https://broker.example"}};
  }
  json::object measured_boot_json() const {
    json::object registers;
    for (unsigned index = 0; index < 8; ++index)
      registers[std::to_string(index)] =
          to_hex(values_.find(crypto::HashAlgorithm::kSha256, static_cast<std::uint8_t>(index))->bytes());
    return {{"sha256", std::move(registers)}};
  }
  net::HttpResponse verify(const json::object& body) const { return operator_.post(kPath, json::serialize(body)); }

  static json::object claims_of(const net::HttpResponse& response) {
    const std::string token = member(response, "ear");
    const auto begin = token.find('.') + 1;
    const auto payload = from_base64url(token.substr(begin, token.find('.', begin) - begin)).value();
    return json::parse(as_text(payload)).as_object();
  }
};

TEST_F(VerificationApiTest, AnswersWithTheResultAndATokenForTheAudience) {
  auto body = request();
  body["eat_nonce"] = to_base64url(Bytes(16, 1));
  const auto response = verify(body);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(member(response, "result.layers.identity"), "affirming");
  EXPECT_EQ(member(response, "result.layers.freshness"), "affirming");
  const auto claims = claims_of(response);
  EXPECT_EQ(claims.at("aud").as_string(), "https://broker.example");
  EXPECT_EQ(claims.at("iss").as_string(), "warifu/" + kScope);
  EXPECT_EQ(claims.at("eat_nonce").as_string(), to_base64url(Bytes(16, 1)));
  EXPECT_EQ(claims.at("sub").as_string(), "ak:" + ak_.ak().identity()->name.text());
  EXPECT_EQ(claims.at("ear_status").as_string(), member(response, "result.overall"));
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 300);
}

TEST_F(VerificationApiTest, MakesNoTokenOfAQuoteThatTheKeyDidNotSign) {
  const auto response = verify(request(true));
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(member(response, "result.overall"), "contraindicated");
  EXPECT_EQ(member(response, "ear"), "null");
}

TEST_F(VerificationApiTest, MakesNoTokenOverAnotherNonce) {
  auto body = request();
  body["nonce"] = to_base64(Bytes(20, 0x11));
  EXPECT_EQ(member(verify(body), "ear"), "null");
}

TEST_F(VerificationApiTest, DoesNotAffirmTheInstanceWhenNobodyLooksAtFreshness) {
  auto body = request();
  body.erase("nonce");
  body["any_nonce"] = true;
  const auto claims = claims_of(verify(body));
  EXPECT_EQ(claims.at("submods").at("tpm").at("ear_trustworthiness_vector").at("instance-identity").to_number<int>(),
            0);
  EXPECT_NE(claims.at("ear_status").as_string(), "affirming");
}

TEST_F(VerificationApiTest, RefusesWhatIsNoSuchRequest) {
  const auto without = [&](const char* name) {
    auto body = request();
    body.erase(name);
    return body;
  };
  const auto with = [&](const char* name, json::value value) {
    auto body = request();
    body[name] = std::move(value);
    return body;
  };
  const std::vector<std::pair<json::object, std::string>> rows = {
      {without("audience"), "json.missing"},
      {with("audience", ""), "ear.audience"},
      {with("audience", "two words"), "ear.audience"},
      {with("eat_nonce", "AAAA"), "ear.nonce"},
      {without("nonce"), "evidence.nonce"},
      {with("any_nonce", true), "evidence.nonce"},
      {with("quote", "not base64"), "json.base64"},
      {with("ak_public", ""), "wire.truncated"},
      {with("registers", json::object{{"md5", json::object{}}}), "registers.bank"},
      {with("policy", json::object{{"format", "other"}}), "policy.format"},
      {with("require", json::array{"sha256"}), "policy.register"},
      {with("unknown", 1), "json.unknown-field"},
  };
  for (const auto& [body, code] : rows) {
    const auto response = verify(body);
    EXPECT_EQ(response.status, 400) << code;
    EXPECT_EQ(member(response, "code"), code) << response.body;
  }
}

TEST_F(VerificationApiTest, DemandsItsPermission) {
  const Operator other(world_.server, operators::Permissions::parse({"attestation:read"}).value());
  EXPECT_EQ(other.post(kPath, json::serialize(request())).status, 403);
}

TEST_F(VerificationApiTest, ShowsTheKeysOnBothListenersToAnybody) {
  net::HttpRequest asked;
  asked.method = net::Method::kGet;
  asked.target = "/.well-known/jwks.json";
  asked.peer_address = "192.0.2.9";
  const auto operators = world_.server.operator_asks(asked);
  const auto devices = world_.server.device_asks(asked);
  EXPECT_EQ(operators.status, 200);
  EXPECT_EQ(operators.body, devices.body);
  EXPECT_EQ(operators.body, world_.server.results_keys.jwks(world_.clock.now()));
  EXPECT_EQ(net::find_header(operators.headers, "Cache-Control"), "public, max-age=3600");
}

}  // namespace
}  // namespace warifu::front::test

#include "attestation/ear/jwt.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "crypto/signature_verifier.h"

namespace warifu::attestation {
namespace {

namespace json = boost::json;

SecretBytes scalar(std::string_view base64url) {
  return SecretBytes(from_base64url(base64url).value());
}

// RFC 7515, A.3.1.
JwtSigner rfc_signer() {
  return JwtSigner::make(
             crypto::ec_private_key(crypto::EcCurve::kP256, scalar("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"))
                 .value())
      .value();
}

std::vector<std::string> parts_of(const std::string& token) {
  std::vector<std::string> parts(1);
  for (const char c : token) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string decoded(const std::string& part) {
  return std::string(as_text(from_base64url(part).value()));
}

TEST(JwkThumbprint, IsThatOfTheExampleInRfc7638) {
  EXPECT_EQ(
      jwk_thumbprint(
          {{"kty", "RSA"},
           {"n",
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZC"
            "iFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgn"
            "Yb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw"
            "0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"},
           {"e", "AQAB"}}),
      "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(JwtSigner, ShowsThePublicHalfOfTheKeyInRfc7515AndNoMore) {
  const json::object jwk = rfc_signer().jwk();
  EXPECT_EQ(jwk.at("x").as_string(), "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
  EXPECT_EQ(jwk.at("y").as_string(), "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
  EXPECT_EQ(jwk.at("alg").as_string(), "ES256");
  EXPECT_EQ(jwk.at("crv").as_string(), "P-256");
  EXPECT_FALSE(jwk.contains("d"));
  EXPECT_EQ(jwk.size(), 7u);
}

TEST(JwtSigner, SignsWhatAVerifierOfRawNumbersTakes) {
  for (const auto kind : {crypto::KeyKind::kEcP256, crypto::KeyKind::kEcP384}) {
    auto key = crypto::PrivateKey::generate(kind);
    const auto point = crypto::ec_public_key(key.public_key()).value();
    const bool is_p256 = kind == crypto::KeyKind::kEcP256;
    const auto hash = is_p256 ? crypto::HashAlgorithm::kSha256 : crypto::HashAlgorithm::kSha384;
    const auto signer = JwtSigner::make(std::move(key)).value();
    const auto parts = parts_of(signer.sign({{"aud", "somebody"}}, "eat+jwt").value());
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(decoded(parts[1]), R"({"aud":"somebody"})");
    const Bytes raw = from_base64url(parts[2]).value();
    ASSERT_EQ(raw.size(), is_p256 ? 64u : 96u);
    const auto verifier = crypto::EcdsaVerifier::from_affine(point.curve(), point.x(), point.y()).value();
    const ByteView r = ByteView(raw).first(raw.size() / 2);
    const ByteView s = ByteView(raw).last(raw.size() / 2);
    EXPECT_TRUE(verifier.verify(crypto::digest(hash, {as_bytes(parts[0] + "." + parts[1])}), r, s));
    EXPECT_FALSE(verifier.verify(crypto::digest(hash, {as_bytes(parts[0] + "." + parts[0])}), r, s));
  }
}

TEST(JwtSigner, PutsNothingIntoTheHeaderThatAVerifierCouldBeMisledBy) {
  const auto signer = rfc_signer();
  const auto header = json::parse(decoded(parts_of(signer.sign({}, "eat+jwt").value())[0])).as_object();
  EXPECT_EQ(json::serialize(header), R"({"alg":"ES256","typ":"eat+jwt","kid":")" + signer.key_id() + R"("})");
}

TEST(JwtSigner, RefusesAKeyThatIsNotEc) {
  const auto refused = JwtSigner::make(crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "crypto.ec.type");
}

TEST(RawSignature, PadsNumbersThatAreShort) {
  const Bytes raw = raw_signature(crypto::EcCurve::kP256, from_hex("30070202008002010f").value()).value();
  ASSERT_EQ(raw.size(), 64u);
  EXPECT_EQ(to_hex(raw), std::string(62, '0') + "80" + std::string(62, '0') + "0f");
}

TEST(RawSignature, RefusesWhatIsNoSuchSignature) {
  const std::string long_number = "30260221" + std::string("01") + std::string(64, '0') + "020101";
  for (const std::string& der : {std::string(), std::string("3006020101020101ff"), std::string("3003020101"),
                                 std::string("30060201010201"), std::string("300702020001020101"), long_number}) {
    EXPECT_FALSE(raw_signature(crypto::EcCurve::kP256, from_hex(der).value())) << der;
  }
  const auto too_long = raw_signature(crypto::EcCurve::kP256, from_hex(long_number).value());
  EXPECT_EQ(too_long.error().code, "jwt.signature");
}

TEST(EcPrivateKey, RefusesANumberThatIsNoneOfTheCurve) {
  const std::string order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
  for (const std::string& hex : {std::string(64, '0'), order, std::string(64, 'f'), std::string(62, '1')}) {
    const auto key = crypto::ec_private_key(crypto::EcCurve::kP256, SecretBytes(from_hex(hex).value()));
    ASSERT_FALSE(key) << hex;
    EXPECT_EQ(key.error().code, "crypto.ec.scalar");
  }
  const std::string last = order.substr(0, 63) + "0";
  EXPECT_TRUE(crypto::ec_private_key(crypto::EcCurve::kP256, SecretBytes(from_hex(last).value())));
}

}  // namespace
}  // namespace warifu::attestation

#include "attestation/ear/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "tpm_types/signature.h"

namespace warifu::attestation {
namespace {

namespace json = boost::json;
using crypto::EcCurve;

std::string_view curve_name(EcCurve curve) {
  return curve == EcCurve::kP256 ? "P-256" : "P-384";
}

std::string encoded(const json::object& object) {
  return to_base64url(as_bytes(json::serialize(object)));
}

// Without the zero that DER puts before a number whose first bit is set, or with it: both are the number.
bool write_padded(ByteView number, std::span<std::uint8_t> out) {
  while (!number.empty() && number.front() == 0)
    number = number.subspan(1);
  if (number.size() > out.size()) return false;
  std::ranges::copy(number, out.end() - static_cast<std::ptrdiff_t>(number.size()));
  return true;
}

}  // namespace

std::string jwk_thumbprint(const std::map<std::string_view, std::string>& required) {
  json::object members;  // which keeps the order in which they come
  for (const auto& [name, value] : required)
    members[name] = value;
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(json::serialize(members))});
  return to_base64url(digest.bytes());
}

Result<Bytes> raw_signature(EcCurve curve, ByteView der) {
  TRY(const auto numbers, tpm::parse_ecdsa_der(der));
  const std::size_t size = coordinate_size(curve);
  Bytes raw(2 * size);
  if (!write_padded(numbers.r, std::span(raw).first(size)) || !write_padded(numbers.s, std::span(raw).last(size)))
    return invalid_input("jwt.signature", fmt::format("expected numbers of at most {} bytes, longer ones came", size));
  return raw;
}

Result<JwtSigner> JwtSigner::make(crypto::PrivateKey key) {
  TRY(const auto point, crypto::ec_public_key(key.public_key()));
  return JwtSigner(std::move(key), point);
}

JwtSigner::JwtSigner(crypto::PrivateKey key, const crypto::EcPublicKey& point)
    : key_(std::move(key)),
      point_(point),
      key_id_(jwk_thumbprint({{"kty", "EC"},
                              {"crv", std::string(curve_name(point.curve()))},
                              {"x", to_base64url(point.x())},
                              {"y", to_base64url(point.y())}})) {
}

std::string_view JwtSigner::algorithm() const {
  return point_.curve() == EcCurve::kP256 ? "ES256" : "ES384";
}

json::object JwtSigner::jwk() const {
  return {{"kty", "EC"},
          {"crv", curve_name(point_.curve())},
          {"x", to_base64url(point_.x())},
          {"y", to_base64url(point_.y())},
          {"use", "sig"},
          {"alg", algorithm()},
          {"kid", key_id_}};
}

Result<std::string> JwtSigner::sign(const json::object& claims, std::string_view type) const {
  std::string token = encoded({{"alg", algorithm()}, {"typ", type}, {"kid", key_id_}}) + "." + encoded(claims);
  TRY(const Bytes signature, raw_signature(point_.curve(), key_.sign(as_bytes(token))));
  return token + "." + to_base64url(signature);
}

}  // namespace warifu::attestation

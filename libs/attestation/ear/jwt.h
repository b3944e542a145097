#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ec.h"
#include "crypto/private_key.h"

// JSON Web Tokens as we make them, and no others: ES256 or ES384 in the compact form. Nothing here reads one.
namespace warifu::attestation {

// RFC 7638: SHA-256 of the members that a kind of key must have, in base64url. std::map has them in the order that
// section 3.2 wants.
std::string jwk_thumbprint(const std::map<std::string_view, std::string>& required);

// r ‖ s, each as long as a coordinate (RFC 7518 §3.4), of an ECDSA signature in DER. "tpm.signature.der" for what is
// not exactly one Ecdsa-Sig-Value, "jwt.signature" when a number is longer than the curve's.
Result<Bytes> raw_signature(crypto::EcCurve curve, ByteView der);

// A key that signs, and how it is known to those who verify.
class JwtSigner {
 public:
  // "crypto.ec.type" when it is no EC key.
  static Result<JwtSigner> make(crypto::PrivateKey key);

  // The thumbprint of the public half: two keys never share one.
  const std::string& key_id() const { return key_id_; }
  // "ES256" for P-256, "ES384" for P-384: the key decides, so that nobody can be talked into another (RFC 8725 §3.1).
  std::string_view algorithm() const;
  // RFC 7517 §4, the public half alone, with "use", "alg" and "kid".
  boost::json::object jwk() const;
  // JWS Compact Serialization (RFC 7515 §7.1). The header is alg, typ and kid: nothing that makes a verifier fetch a
  // key (jku, x5u, jwk), and nothing else.
  Result<std::string> sign(const boost::json::object& claims, std::string_view type) const;

 private:
  JwtSigner(crypto::PrivateKey key, const crypto::EcPublicKey& point);

  crypto::PrivateKey key_;
  crypto::EcPublicKey point_;
  std::string key_id_;
};

}  // namespace warifu::attestation

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"

namespace warifu::crypto {

enum class NamedCurve : std::uint8_t { kP256, kP384, kP521 };

// How a certificate or a CRL is signed (RFC 5280 §4.1.1.2, RFC 4055 §3, RFC 5758 §3.2).
struct IssuerSignature {
  enum class Scheme : std::uint8_t { kRsaPkcs1, kRsaPss, kEcdsa };
  Scheme scheme = Scheme::kRsaPkcs1;
  HashAlgorithm hash = HashAlgorithm::kSha256;
  std::size_t salt_size = 0;  // RSA-PSS only; MGF1 is over the same hash
};

// The key of a manufacturer's certificate authority, from its numbers: no container of a key is asked to be as RFC 5280
// wants it. It takes more than PublicKey does (P-521, RSA up to 8192 bits), and is only ever used to verify what a
// manufacturer signed years ago.
class IssuerKey {
 public:
  // Big-endian numbers without leading zeros: 2048 to 8192 bits; the exponent is odd, 3 to 2^32 - 1.
  // "crypto.issuer-key"
  static Result<IssuerKey> from_rsa(ByteView modulus, ByteView exponent);
  // An uncompressed point (SEC 1, 2.3.3) on that curve. "crypto.issuer-key"
  static Result<IssuerKey> from_point(NamedCurve curve, ByteView point);

  // True when this key made this signature over `message`. False too when the scheme is not one of this key's kind,
  // and when OpenSSL's policy on this system forbids it.
  bool verifies(const IssuerSignature& how, ByteView message, ByteView signature) const;

 private:
  explicit IssuerKey(PkeyHandle key) : key_(std::move(key)) {}

  PkeyHandle key_;
};

}  // namespace warifu::crypto

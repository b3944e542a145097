#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/private_key.h"

namespace warifu::crypto {

enum class EcCurve : std::uint8_t { kP256, kP384 };

constexpr std::size_t coordinate_size(EcCurve curve) {
  return curve == EcCurve::kP256 ? 32 : 48;
}

// A point on one of the NIST curves, not the point at infinity. Both curves have cofactor 1, so every such point is a
// valid public key.
class EcPublicKey {
 public:
  // Big-endian coordinates, at most coordinate_size() bytes each. "crypto.ec.point" when they are longer or the point
  // is not on the curve.
  static Result<EcPublicKey> from_affine(EcCurve curve, ByteView x, ByteView y);

  EcCurve curve() const { return curve_; }
  // Padded to coordinate_size().
  ByteView x() const { return ByteView(x_).first(coordinate_size(curve_)); }
  ByteView y() const { return ByteView(y_).first(coordinate_size(curve_)); }

  friend bool operator==(const EcPublicKey&, const EcPublicKey&) = default;

 private:
  friend class EcKeyPair;
  friend Result<EcPublicKey> ec_public_key(const PublicKey& key);
  explicit EcPublicKey(EcCurve curve) : curve_(curve) {}

  EcCurve curve_;
  std::array<std::uint8_t, 48> x_{};
  std::array<std::uint8_t, 48> y_{};
};

// The point of a key. "crypto.ec.type" when it is not EC.
Result<EcPublicKey> ec_public_key(const PublicKey& key);

// The key whose private number this is, big-endian and of coordinate_size(): for keys that are derived from a secret.
// "crypto.ec.scalar" when it is of another size, zero, or not below the order of the curve; whoever derives it takes
// another candidate then (FIPS 186-5 A.2.2).
Result<PrivateKey> ec_private_key(EcCurve curve, const SecretBytes& scalar);

// A key for Diffie-Hellman exchanges.
class EcKeyPair {
 public:
  static EcKeyPair generate(EcCurve curve, Entropy& entropy);
  // For the software TPM of tests. "crypto.ec.type" when the key is not EC.
  static Result<EcKeyPair> from_private_key(const PrivateKey& key);

  const EcPublicKey& public_key() const { return public_key_; }
  // The x coordinate of the shared point, padded to coordinate_size() (NIST SP 800-56A §5.7.1.2). "crypto.ec.curve"
  // when the peer is on the other curve.
  Result<SecretBytes> agree(const EcPublicKey& peer) const;

 private:
  EcKeyPair(SecretBytes scalar, EcPublicKey public_key)
      : scalar_(std::move(scalar)), public_key_(std::move(public_key)) {}

  SecretBytes scalar_;
  EcPublicKey public_key_;
};

}  // namespace warifu::crypto

#pragma once

#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ec.h"
#include "crypto/rsa.h"

struct bignum_st;
struct bn_mont_ctx_st;
struct ec_key_st;

// Keys made ready for many verifications, from their numbers: what OpenSSL's decoders cost is several times what the
// verification costs (docs/performance.md). Verifying changes nothing in them, so threads may share one.
namespace warifu::crypto {

struct FreeBignum {
  void operator()(bignum_st* number) const;
};
struct FreeMontgomery {
  void operator()(bn_mont_ctx_st* context) const;
};
struct FreeEcKey {
  void operator()(ec_key_st* key) const;
};

// All verifications answer "crypto.signature" (kRefused) when the key did not make this signature.
class RsaVerifier {
 public:
  explicit RsaVerifier(const RsaPublicKey& key);

  // RFC 8017 §8.2.2, by comparison with the one right encoding. The signature is exactly as long as the modulus.
  Status verify_pkcs1(const Digest& digest, ByteView signature) const;
  // RFC 8017 §8.1.2, MGF1 with the same hash, any length of salt: TPMs take the longest that fits, or that of the hash
  // (TPM 2.0 Part 1, annex B, "RSASSA_PSS").
  Status verify_pss(const Digest& digest, ByteView signature) const;

  std::size_t size() const { return size_; }  // of the modulus, in bytes

 private:
  // signature ^ exponent mod modulus, padded; empty if the signature is not a number below the modulus.
  Bytes open(ByteView signature) const;

  std::unique_ptr<bignum_st, FreeBignum> modulus_;
  std::uint32_t exponent_;
  std::unique_ptr<bn_mont_ctx_st, FreeMontgomery> montgomery_;
  std::size_t size_;
  std::size_t bits_;
};

class EcdsaVerifier {
 public:
  // Of a point as EcPublicKey takes it, with its error: looking whether it is on the curve costs as much as all else.
  static Result<EcdsaVerifier> from_affine(EcCurve curve, ByteView x, ByteView y);

  // FIPS 186-5 §6.4.2. r and s are big-endian and from 1 to the group's order less 1.
  Status verify(const Digest& digest, ByteView r, ByteView s) const;

  EcCurve curve() const { return curve_; }

 private:
  using Key = std::unique_ptr<ec_key_st, FreeEcKey>;
  EcdsaVerifier(Key key, EcCurve curve) : key_(std::move(key)), curve_(curve) {}

  Key key_;
  EcCurve curve_;
};

}  // namespace warifu::crypto

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"

namespace warifu::crypto {

inline constexpr std::size_t kMinRsaBits = 1024;
inline constexpr std::size_t kMaxRsaBits = 4096;

// A public key as its two numbers, as they travel in TPM structures.
class RsaPublicKey {
 public:
  // `modulus` is big-endian without leading zeros: its top bit is set, it is odd and has 1024 to 4096 bits. `exponent`
  // is odd and at least 3. Codes: "crypto.rsa.modulus", "crypto.rsa.exponent".
  static Result<RsaPublicKey> from_modulus(ByteView modulus, std::uint32_t exponent);

  ByteView modulus() const { return modulus_; }
  std::uint32_t exponent() const { return exponent_; }

  // RFC 8017 §7.1.1 with MGF1 over the same hash; all of `label` counts, a zero byte at its end too. The result is as
  // long as the modulus. "crypto.rsa.message" when the message does not fit.
  Result<Bytes> encrypt_oaep(HashAlgorithm hash, ByteView label, ByteView message, Entropy& entropy) const;

  friend bool operator==(const RsaPublicKey&, const RsaPublicKey&) = default;

 private:
  RsaPublicKey(Bytes modulus, std::uint32_t exponent) : modulus_(std::move(modulus)), exponent_(exponent) {}

  Bytes modulus_;
  std::uint32_t exponent_;
};

// The numbers of a key. "crypto.rsa.type" when it is not RSA.
Result<RsaPublicKey> rsa_public_key(const PrivateKey& key);
Result<RsaPublicKey> rsa_public_key(const PublicKey& key);
// RFC 8017 §7.1.2, for the software TPM of tests. "crypto.rsa.decrypt" says nothing about why.
Result<SecretBytes> rsa_decrypt_oaep(const PrivateKey& key, HashAlgorithm hash, ByteView label, ByteView ciphertext);

}  // namespace warifu::crypto

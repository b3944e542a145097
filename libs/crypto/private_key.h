#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/public_key.h"

namespace warifu::crypto {

enum class EcCurve : std::uint8_t;

enum class KeyKind { kEcP256, kEcP384, kRsa2048, kRsa3072 };

// Owns one private key. Key generation draws from OpenSSL's own generator: the keys of a simulation come from PEM.
class PrivateKey {
 public:
  static PrivateKey generate(KeyKind kind);
  // PKCS #8 or the older forms, not encrypted. "crypto.key.pem" when it is none,
  // "crypto.key.kind" as for PublicKey.
  static Result<PrivateKey> from_pem(const SecretBytes& pem);
  // "crypto.key.passphrase" when it does not open, "crypto.key.pem" when it is no encrypted PKCS #8.
  static Result<PrivateKey> from_encrypted_pem(std::string_view pem, const SecretBytes& passphrase);

  // PKCS #8.
  SecretBytes to_pem() const;
  // PKCS #8 under AES-256-CBC with scrypt (RFC 7914 §7), which `openssl pkey` opens.
  std::string to_encrypted_pem(const SecretBytes& passphrase, Entropy& entropy) const;

  PublicKey public_key() const;
  // ECDSA (DER) over SHA-256 for P-256 and SHA-384 for P-384; RSASSA-PKCS1-v1_5 with SHA-256 for RSA.
  Bytes sign(ByteView message) const;

  // For TLS and X.509 code; stays ours.
  evp_pkey_st* native() const { return key_.get(); }

 private:
  friend Result<PrivateKey> ec_private_key(EcCurve curve, const SecretBytes& scalar);
  explicit PrivateKey(PkeyHandle key) : key_(std::move(key)) {}
  static Result<PrivateKey> checked(PkeyHandle key);

  PkeyHandle key_;
};

}  // namespace warifu::crypto

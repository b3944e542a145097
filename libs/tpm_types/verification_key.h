#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "tpm_types/name.h"

namespace warifu::tpm {

// The public key of somebody outside, as a TPM takes it to verify signatures (Part 3, TPM2_LoadExternal). What it signs
// with is fixed: ECDSA with SHA-256 (P-256) or SHA-384 (P-384), RSASSA-PKCS1-v1_5 with SHA-256, as
// crypto::PrivateKey::sign() makes them. That hash is the nameAlg too, for by it TPM2_PolicyAuthorize computes what
// must have been signed. So the same key has the same Name on every device.
class VerificationKey {
 public:
  // "tpm.verification-key" when its SubjectPublicKeyInfo is none of these.
  static Result<VerificationKey> of(const crypto::PublicKey& key);

  ByteView tpm2b() const { return tpm2b_; }
  const Name& name() const { return name_; }
  crypto::HashAlgorithm hash() const { return name_.algorithm(); }

  // TPMT_SIGNATURE (Part 2, 11.3.4) of a signature by this key: DER for ECDSA (RFC 3279 §2.2.3), plain for RSA.
  // "tpm.signature" when it is malformed; whether it is right only the TPM says.
  Result<Bytes> tpmt_signature(ByteView signature) const;

 private:
  VerificationKey(Bytes tpm2b, Name name, std::size_t size, bool is_rsa)
      : tpm2b_(std::move(tpm2b)), name_(name), size_(size), is_rsa_(is_rsa) {}

  Bytes tpm2b_;
  Name name_;
  std::size_t size_;  // bytes of the modulus, or of one of r and s
  bool is_rsa_;
};

}  // namespace warifu::tpm

#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ec.h"
#include "crypto/private_key.h"
#include "crypto/public_key.h"

namespace warifu::crypto {

// Makes the ECDSA signature, in DER, of a digest by the curve's own hash: SHA-256 on P-256, SHA-384 on P-384. So sign
// certificates, CRLs and TLS 1.3; TLS 1.2, where the peer may choose SHA-256 for P-384, can be refused. Called by
// several threads at once if the Signer is used by several.
using SignDigest = std::function<Result<Bytes>(const Digest& digest)>;

// A private key, wherever it lives: in this process, in a TPM, in an HSM, in another process. What issues certificates
// and signs documents takes one, and does not see the difference.
class Signer {
 public:
  // In this process. Implicit, so that a key at hand signs like any other.
  Signer(const PrivateKey& key);  // NOLINT(google-explicit-constructor)
  // Elsewhere. What `sign` answers is verified before it is used: an HSM may be wrong, too.
  static Signer outside(const EcPublicKey& public_key, SignDigest sign);

  Signer(Signer&&) noexcept = default;
  Signer& operator=(Signer&&) noexcept = default;
  Signer clone() const;

  PublicKey public_key() const;
  // As PrivateKey::sign(). Errors are those of `sign`; kUnavailable "crypto.signer" when its signature is none.
  Result<Bytes> sign(ByteView message) const;

  // For TLS and X.509 code; stays ours. Where OpenSSL signs with it and fails, failure() says why.
  evp_pkey_st* native() const { return key_.get(); }
  // Why the last signature that this thread asked a key elsewhere for was not made; told once.
  static Error failure();
  // Before a signature by OpenSSL whose failure() is told: what another key said before is no reason.
  static void forget_failure();

 private:
  explicit Signer(PkeyHandle key) : key_(std::move(key)) {}
  PkeyHandle key_;
};

}  // namespace warifu::crypto

#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"

namespace warifu::crypto {

// RFC 8446 §4.2.3. Those that are taken; the value is the one on the wire.
enum class SignatureScheme : std::uint16_t {
  kEcdsaSecp256r1Sha256 = 0x0403,
  kEcdsaSecp384r1Sha384 = 0x0503,
  kRsaPssRsaeSha256 = 0x0804,
  kRsaPssRsaeSha384 = 0x0805,
  kRsaPssRsaeSha512 = 0x0806,
};

// "crypto.tls.scheme" for every other value: PKCS #1 v1.5 and SHA-1 may not sign a TLS 1.3 handshake, Ed25519 and the
// rest are not used here.
Result<SignatureScheme> signature_scheme(std::uint16_t value);

// The salt of RSASSA-PSS is as long as the hash, and an ECDSA scheme is bound to its curve (RFC 8446 §4.2.3). Codes:
// "crypto.tls.scheme" when the key is of another kind than the scheme, "crypto.signature" when it is not that key's
// signature on that message.
Status verify_tls_signature(const PublicKey& key, SignatureScheme scheme, ByteView message, ByteView signature);

}  // namespace warifu::crypto

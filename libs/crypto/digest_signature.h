#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "crypto/signer.h"

namespace warifu::crypto {

// A signature on a digest that somebody else made: RSASSA-PKCS1-v1_5 (RFC 8017 §8.2), or ECDSA as DER. Codes:
// "crypto.signature.digest" when the digest is not of that hash's size, "crypto.signature" when it is not that key's
// signature on that digest.
Status verify_digest_signature(const PublicKey& key, HashAlgorithm hash, ByteView digest, ByteView signature);

// The counterpart of it. "crypto.signature.digest" when the hash does not fit the curve; the errors of the Signer.
Result<Bytes> sign_digest(const Signer& key, const Digest& digest);

// r and s, big-endian and of any length, as an Ecdsa-Sig-Value (RFC 3279 §2.2.3).
Bytes ecdsa_der(ByteView r, ByteView s);

// SHA-1 of the subjectPublicKey without tag and length (RFC 5280 §4.2.1.2, method 1): the subject key identifier that
// most certificates have. It names a key and protects nothing.
Digest subject_key_id(const PublicKey& key);

}  // namespace warifu::crypto

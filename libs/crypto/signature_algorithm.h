#pragma once

#include "base/bytes.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"

// Which algorithms are taken, and how the key of a certificate signs CRLs and OCSP responses. Only .cpp files of this
// library include it.
namespace warifu::crypto {

// Whether a signature of others may be made so: ECDSA or RSA PKCS #1 over SHA-256, SHA-384 or SHA-512. OpenSSL's NID.
bool is_taken_signature(int nid);

// The hash of what it signs.
HashAlgorithm signature_hash(const Certificate& signer);
// AlgorithmIdentifier (RFC 5758 §3.2, RFC 4055 §5).
Bytes signature_algorithm(const Certificate& signer);

}  // namespace warifu::crypto

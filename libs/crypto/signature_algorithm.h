#pragma once

#include "base/bytes.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"

// How the key of a certificate signs CRLs and OCSP responses. Only .cpp files of this library include it.
namespace warifu::crypto {

// The hash of what it signs.
HashAlgorithm signature_hash(const Certificate& signer);
// AlgorithmIdentifier (RFC 5758 §3.2, RFC 4055 §5).
Bytes signature_algorithm(const Certificate& signer);

}  // namespace warifu::crypto

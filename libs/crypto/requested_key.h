#pragma once

#include "base/result.h"
#include "crypto/public_key.h"

struct X509_pubkey_st;

namespace warifu::crypto {

// The key that a request for a certificate is for, as it stands there: of a kind that PublicKey takes, and written in
// the one way that PublicKey::spki() writes it, so that who proved this very key elsewhere is found by its bytes. A
// curve has its name and a point both coordinates (RFC 5480 §2.1.1, §2.2); an RSA exponent is odd, from 65537 on
// (FIPS 186-5 §5.1): with 1 anybody signs. Codes: those of PublicKey, and "crypto.request.key". Whether the key is weak
// in another way (ROCA) is not looked at. For code that has OpenSSL's types.
Result<PublicKey> requested_key(const X509_pubkey_st* as_sent);

}  // namespace warifu::crypto

#pragma once

#include "base/bytes.h"
#include "crypto/ec.h"
#include "crypto/openssl_handle.h"
#include "crypto/rsa.h"

// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of the kinds that PublicKey takes. Only .cpp files of this library include
// it. OpenSSL 3.0 encodes and decodes one by way of its providers, for several times the price of a signature.
namespace warifu::crypto {

// What stands in it: the algorithm, the curve (NID_undef for RSA), and the bits: an uncompressed point, or an
// RSAPublicKey.
struct KeyEncoding {
  int algorithm;
  int curve;
  Bytes bits;

  friend bool operator==(const KeyEncoding&, const KeyEncoding&) = default;
};

// Of an EC key on P-256 or P-384 or an RSA key, private or public, here or elsewhere (Signer).
KeyEncoding encoding_of(const EVP_PKEY* key);

// Of the numbers of a key, as a TPM has them. An exponent has no leading zeros.
KeyEncoding encoding_of(const EcPublicKey& point);
KeyEncoding encoding_of(const RsaPublicKey& key);

Bytes to_spki(const KeyEncoding& encoding);
// X509_PUBKEY_get() finds a key in it only after it was written and read anew.
void set_public_key(X509_PUBKEY* spki, const KeyEncoding& encoding);

}  // namespace warifu::crypto

#include "crypto/requested_key.h"

#include <openssl/core_names.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

bool has_sound_exponent(const EVP_PKEY* key) {
  const BignumHandle exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  return BN_is_odd(exponent.get()) && BN_num_bits(exponent.get()) >= 17;
}

Error not_as_wanted(const char* message) {
  return invalid_input("crypto.request.key", message);
}

}  // namespace

Result<PublicKey> requested_key(const X509_pubkey_st* as_sent) {
  TRY(PublicKey key, PublicKey::checked(PkeyHandle(X509_PUBKEY_get(as_sent))));
  if (EVP_PKEY_is_a(key.native(), "RSA") == 1 && !has_sound_exponent(key.native()))
    return not_as_wanted("expected an odd RSA exponent from 65537 on");
  if (to_der_bytes<i2d_X509_PUBKEY>(as_sent) == key.spki()) return key;
  return not_as_wanted("expected DER, a curve by its name and an uncompressed point");
}

}  // namespace warifu::crypto

#include "crypto/requested_key.h"

#include <openssl/core_names.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

bool is_named_and_uncompressed(const X509_PUBKEY* spki) {
  X509_ALGOR* algorithm = nullptr;
  const unsigned char* point = nullptr;
  int size = 0;
  require(X509_PUBKEY_get0_param(nullptr, &point, &size, &algorithm, spki) == 1, "X509_PUBKEY_get0_param");
  int parameters = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &parameters, nullptr, algorithm);
  constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1, 2.3.3
  return parameters == V_ASN1_OBJECT && size > 0 && point[0] == kUncompressed;
}

bool has_sound_exponent(const EVP_PKEY* key) {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) == 1, "EVP_PKEY_get_bn_param");
  const BignumHandle exponent(raw);
  return BN_is_odd(exponent.get()) && BN_num_bits(exponent.get()) >= 17 && BN_num_bits(exponent.get()) <= 32;
}

Error not_as_wanted(const char* message) {
  return invalid_input("crypto.request.key", message);
}

}  // namespace

Result<PublicKey> requested_key(const X509_pubkey_st* as_sent) {
  TRY(PublicKey key, PublicKey::checked(PkeyHandle(X509_PUBKEY_get(as_sent))));
  if (EVP_PKEY_is_a(key.native(), "RSA") == 1) {
    if (!has_sound_exponent(key.native())) return not_as_wanted("expected an odd RSA exponent from 65537 to 2^32 - 1");
  } else if (!is_named_and_uncompressed(as_sent)) {
    return not_as_wanted("expected a curve by its name and an uncompressed point");
  }
  if (to_der_bytes<i2d_X509_PUBKEY>(as_sent) != key.spki())
    return not_as_wanted("the SubjectPublicKeyInfo is not in the one form that DER gives it");
  return key;
}

}  // namespace warifu::crypto

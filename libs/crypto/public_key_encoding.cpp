#include "crypto/public_key_encoding.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "crypto/der_value.h"

namespace warifu::crypto {
namespace {

constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1, 2.3.3

// A positive INTEGER.
Bytes der_integer(const BignumHandle& number) {
  Bytes content(static_cast<std::size_t>(BN_num_bits(number.get()) / 8 + 1));
  require(BN_bn2binpad(number.get(), content.data(), to_int(content.size())) > 0, "BN_bn2binpad");
  return der_value(V_ASN1_INTEGER, {content});
}

Bytes rsa_public_key(const BignumHandle& modulus, const BignumHandle& exponent) {
  return der_value(V_ASN1_SEQUENCE, {der_integer(modulus), der_integer(exponent)});
}

// SEC 1, 2.3.3, uncompressed. The point comes in the form in which it was read, which is this one but for strangers'
// keys; the coordinates cost twice as much.
Bytes point_of(const EVP_PKEY* key, std::size_t coordinate) {
  Bytes point(1 + 2 * coordinate);
  std::size_t size = 0;
  require(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1,
          "EVP_PKEY_get_octet_string_param");
  if (size == point.size() && point[0] == kUncompressed) return point;
  point[0] = kUncompressed;
  const auto write = [&](const char* name, std::size_t at) {
    require(BN_bn2binpad(number_of(key, name).get(), point.data() + at, to_int(coordinate)) > 0, "BN_bn2binpad");
  };
  write(OSSL_PKEY_PARAM_EC_PUB_X, 1);
  write(OSSL_PKEY_PARAM_EC_PUB_Y, 1 + coordinate);
  return point;
}

// A key elsewhere is an EC_KEY, which has no such parameters and is cheap to encode.
KeyEncoding encoding_of_outside(const EVP_PKEY* key, int curve) {
  const Bytes spki = to_der_bytes<i2d_PUBKEY>(key);
  const std::size_t size = 1 + 2 * static_cast<std::size_t>((EVP_PKEY_get_bits(key) + 7) / 8);
  require(spki.size() > size, "i2d_PUBKEY");
  return {NID_X9_62_id_ecPublicKey, curve, to_bytes(ByteView(spki).last(size))};
}

}  // namespace

KeyEncoding encoding_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1)
    return {NID_rsaEncryption, NID_undef,
            rsa_public_key(number_of(key, OSSL_PKEY_PARAM_RSA_N), number_of(key, OSSL_PKEY_PARAM_RSA_E))};
  const bool is_p384 = EVP_PKEY_get_bits(key) == 384;
  const int curve = is_p384 ? NID_secp384r1 : NID_X9_62_prime256v1;
  if (EVP_PKEY_get0_provider(key) == nullptr) return encoding_of_outside(key, curve);
  return {NID_X9_62_id_ecPublicKey, curve, point_of(key, is_p384 ? 48 : 32)};
}

KeyEncoding encoding_of(const EcPublicKey& point) {
  const std::size_t coordinate = point.x().size();
  Bytes bits(1 + 2 * coordinate, kUncompressed);
  std::ranges::copy(point.x(), bits.begin() + 1);
  std::ranges::copy(point.y(), bits.begin() + 1 + static_cast<std::ptrdiff_t>(coordinate));
  return {NID_X9_62_id_ecPublicKey, point.curve() == EcCurve::kP384 ? NID_secp384r1 : NID_X9_62_prime256v1,
          std::move(bits)};
}

KeyEncoding encoding_of(const RsaPublicKey& key) {
  BignumHandle exponent(BN_new());
  require(exponent && BN_set_word(exponent.get(), key.exponent()) == 1, "BN_set_word");
  return {NID_rsaEncryption, NID_undef, rsa_public_key(to_bignum(key.modulus()), exponent)};
}

Bytes to_spki(const KeyEncoding& encoding) {
  const Bytes algorithm = to_der_bytes<i2d_ASN1_OBJECT>(OBJ_nid2obj(encoding.algorithm));
  const Bytes parameters = encoding.curve == NID_undef ? der_value(V_ASN1_NULL, {})
                                                       : to_der_bytes<i2d_ASN1_OBJECT>(OBJ_nid2obj(encoding.curve));
  return der_value(V_ASN1_SEQUENCE,
                   {der_value(V_ASN1_SEQUENCE, {algorithm, parameters}), der_bit_string(encoding.bits)});
}

void set_public_key(X509_PUBKEY* spki, const KeyEncoding& encoding) {
  auto* bits = static_cast<std::uint8_t*>(OPENSSL_memdup(encoding.bits.data(), encoding.bits.size()));
  const bool is_rsa = encoding.curve == NID_undef;
  require(bits != nullptr &&
              X509_PUBKEY_set0_param(spki, OBJ_nid2obj(encoding.algorithm), is_rsa ? V_ASN1_NULL : V_ASN1_OBJECT,
                                     is_rsa ? nullptr : OBJ_nid2obj(encoding.curve), bits,
                                     to_int(encoding.bits.size())) == 1,
          "X509_PUBKEY_set0_param");
}

}  // namespace warifu::crypto

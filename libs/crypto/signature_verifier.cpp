// OpenSSL 3.0 deprecates EC_KEY in favour of EVP_PKEY, whose making costs a third of a verification. It is still there
// and supported, so this one file uses it, beside digest.cpp. RSA needs nothing but big numbers.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/signature_verifier.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "crypto/ec_group.h"
#include "crypto/mgf1.h"
#include "crypto/openssl_handle.h"
#include "crypto/power.h"

namespace warifu::crypto {
namespace {

using EcdsaSigHandle = Handle<ECDSA_SIG, ECDSA_SIG_free>;

Error wrong_signature() {
  return {ErrorKind::kRefused, "crypto.signature", "this key did not make this signature on this message"};
}

// The DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1).
ByteView digest_info(HashAlgorithm hash) {
  static constexpr std::array<std::uint8_t, 15> kSha1 = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                                         0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
  static constexpr std::array<std::uint8_t, 19> kSha256 = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                           0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
  static constexpr std::array<std::uint8_t, 19> kSha384 = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                           0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30};
  static constexpr std::array<std::uint8_t, 19> kSha512 = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                           0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};
  switch (hash) {
    case HashAlgorithm::kSha1:
      return kSha1;
    case HashAlgorithm::kSha256:
      return kSha256;
    case HashAlgorithm::kSha384:
      return kSha384;
    case HashAlgorithm::kSha512:
      return kSha512;
    case HashAlgorithm::kSm3:
      return {};  // RFC 8017 has none
  }
  return {};
}

// EMSA-PSS-VERIFY (RFC 8017 §9.1.2) for an encoding of `bits` bits.
bool is_pss(const Digest& message, std::span<std::uint8_t> encoded, std::size_t bits) {
  const std::size_t hash_size = message.size();
  if (encoded.size() < hash_size + 2 || encoded.back() != 0xbc) return false;
  const std::span<std::uint8_t> block = encoded.first(encoded.size() - hash_size - 1);
  const ByteView hash = ByteView(encoded).subspan(block.size(), hash_size);
  // The bits of the first byte that are too many are zero.
  const auto top = static_cast<std::uint8_t>(0xff00u >> (encoded.size() * 8 - bits));
  if ((block[0] & top) != 0) return false;
  mask_with_mgf1(message.algorithm(), hash, block);
  block[0] &= static_cast<std::uint8_t>(~top);
  const auto one = std::ranges::find_if(block, [](std::uint8_t byte) { return byte != 0; });
  if (one == block.end() || *one != 1) return false;
  const ByteView salt(one + 1, block.end());
  constexpr std::array<std::uint8_t, 8> kZeros{};
  return std::ranges::equal(digest(message.algorithm(), {kZeros, message.bytes(), salt}).bytes(), hash);
}

BIGNUM* number_of(ByteView bytes) {
  BIGNUM* number = BN_bin2bn(bytes.data(), to_int(bytes.size()), nullptr);
  require(number != nullptr, "BN_bin2bn");
  return number;
}

// For the life of the thread: making one costs as much as hashing a quote.
BN_CTX* scratch() {
  thread_local const BnCtxHandle context(BN_CTX_new());
  require(context != nullptr, "BN_CTX_new");
  return context.get();
}

}  // namespace

void FreeBignum::operator()(bignum_st* number) const {
  BN_free(number);
}
void FreeMontgomery::operator()(bn_mont_ctx_st* context) const {
  BN_MONT_CTX_free(context);
}
void FreeEcKey::operator()(ec_key_st* key) const {
  EC_KEY_free(key);
}

RsaVerifier::RsaVerifier(const RsaPublicKey& key)
    : modulus_(number_of(key.modulus())),
      exponent_(key.exponent()),
      montgomery_(BN_MONT_CTX_new()),
      size_(key.modulus().size()),
      bits_(static_cast<std::size_t>(BN_num_bits(modulus_.get()))) {
  require(montgomery_ != nullptr && BN_MONT_CTX_set(montgomery_.get(), modulus_.get(), scratch()) == 1,
          "BN_MONT_CTX_set");
}

Bytes RsaVerifier::open(ByteView signature) const {
  if (signature.size() != size_) return {};
  const std::unique_ptr<bignum_st, FreeBignum> number(number_of(signature));
  if (BN_cmp(number.get(), modulus_.get()) >= 0) return {};
  raise(number.get(), exponent_, montgomery_.get(), scratch());
  Bytes opened(size_);
  require(BN_bn2binpad(number.get(), opened.data(), to_int(size_)) > 0, "BN_bn2binpad");
  return opened;
}

Status RsaVerifier::verify_pkcs1(const Digest& digest, ByteView signature) const {
  const ByteView info = digest_info(digest.algorithm());
  const Bytes opened = open(signature);
  const std::size_t tail = info.size() + digest.size();
  if (info.empty() || opened.size() < tail + 11) return wrong_signature();
  const ByteView bytes = opened;
  const ByteView padding = bytes.subspan(2, size_ - tail - 3);
  const bool right = bytes[0] == 0 && bytes[1] == 1 &&
                     std::ranges::all_of(padding, [](std::uint8_t byte) { return byte == 0xff; }) &&
                     bytes[size_ - tail - 1] == 0 && std::ranges::equal(bytes.last(tail).first(info.size()), info) &&
                     std::ranges::equal(bytes.last(digest.size()), digest.bytes());
  if (!right) return wrong_signature();
  return {};
}

Status RsaVerifier::verify_pss(const Digest& digest, ByteView signature) const {
  Bytes opened = open(signature);
  if (opened.empty()) return wrong_signature();
  // One bit less than the modulus (RFC 8017 §8.1.2, step 2c), which is a byte less when that has 8n + 1 bits.
  const std::size_t bits = bits_ - 1;
  const std::size_t size = (bits + 7) / 8;
  std::span<std::uint8_t> encoded(opened);
  if (size < encoded.size() && encoded[0] != 0) return wrong_signature();
  if (!is_pss(digest, encoded.last(size), bits)) return wrong_signature();
  return {};
}

Result<EcdsaVerifier> EcdsaVerifier::from_affine(EcCurve curve, ByteView x, ByteView y) {
  const std::size_t size = coordinate_size(curve);
  if (x.size() > size || y.size() > size) return coordinates_too_long(size, x, y);
  // Uncompressed (SEC 1, 2.3.3), padded.
  std::array<std::uint8_t, 1 + 2 * 48> point{0x04};
  std::ranges::copy(x, point.data() + 1 + size - x.size());
  std::ranges::copy(y, point.data() + 1 + 2 * size - y.size());
  Key key(EC_KEY_new());
  require(key != nullptr && EC_KEY_set_group(key.get(), group_of(curve)) == 1, "EC_KEY_set_group");
  // Refuses coordinates that are not below p, too.
  if (EC_KEY_oct2key(key.get(), point.data(), 1 + 2 * size, scratch()) == 1)
    return EcdsaVerifier(std::move(key), curve);
  ERR_clear_error();
  return not_a_point();
}

Status EcdsaVerifier::verify(const Digest& digest, ByteView r, ByteView s) const {
  if (r.size() > coordinate_size(curve_) || s.size() > coordinate_size(curve_)) return wrong_signature();
  const EcdsaSigHandle signature(ECDSA_SIG_new());
  BIGNUM* r_number = number_of(r);
  BIGNUM* s_number = number_of(s);
  require(signature != nullptr && ECDSA_SIG_set0(signature.get(), r_number, s_number) == 1, "ECDSA_SIG_set0");
  const BIGNUM* order = EC_GROUP_get0_order(group_of(curve_));
  for (const BIGNUM* number : {r_number, s_number})
    if (BN_is_zero(number) || BN_cmp(number, order) >= 0) return wrong_signature();
  const ByteView bytes = digest.bytes();
  if (ECDSA_do_verify(bytes.data(), to_int(bytes.size()), signature.get(), key_.get()) == 1) return {};
  ERR_clear_error();
  return wrong_signature();
}

}  // namespace warifu::crypto

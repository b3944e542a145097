// The yardstick wants the cheapest calls that OpenSSL has, and those are the deprecated ones.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "raw_primitives.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace warifu::bench {
namespace {

using Block = std::array<unsigned char, 64>;
using Sha256Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

void must(bool ok) {
  if (!ok) std::abort();
}

Sha256Digest raw_hmac(ByteView key, ByteView message) {
  Block pad{};
  Sha256Digest digest;
  SHA256_CTX context;
  std::memcpy(pad.data(), key.data(), key.size());
  for (auto& byte : pad)
    byte ^= 0x36;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(digest.data(), &context);
  for (auto& byte : pad)
    byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

// What follows the seed in both kinds: KDFa twice, AES-CFB of 18 bytes with a fresh key, HMAC of the result.
class RawOuterWrap {
 public:
  RawOuterWrap() : context_(EVP_CIPHER_CTX_new()), cipher_(EVP_CIPHER_fetch(nullptr, "AES-128-CFB", nullptr)) {}
  RawOuterWrap(const RawOuterWrap&) = delete;
  RawOuterWrap& operator=(const RawOuterWrap&) = delete;
  ~RawOuterWrap() {
    EVP_CIPHER_CTX_free(context_);
    EVP_CIPHER_free(cipher_);
  }

  void operator()(ByteView seed) {
    const std::array<unsigned char, 50> storage_message{1};    // counter, "STORAGE\0", Name, bits
    const std::array<unsigned char, 18> integrity_message{2};  // counter, "INTEGRITY\0", bits
    std::array<unsigned char, 18 + 34> encrypted{};
    static constexpr std::array<unsigned char, 16> kZeroIv{};
    const Sha256Digest key = raw_hmac(seed, storage_message);
    int size = 0;
    must(EVP_EncryptInit_ex2(context_, cipher_, key.data(), kZeroIv.data(), nullptr) == 1);
    must(EVP_EncryptUpdate(context_, encrypted.data(), &size, encrypted.data(), 18) == 1);
    const Sha256Digest hmac_key = raw_hmac(seed, integrity_message);
    result_ = raw_hmac(hmac_key, encrypted);
  }

 private:
  EVP_CIPHER_CTX* context_;
  EVP_CIPHER* cipher_;
  Sha256Digest result_{};
};

}  // namespace

struct RawRsaCredential::State {
  EVP_PKEY* key = EVP_PKEY_new();
  EVP_PKEY_CTX* context = nullptr;
  RawOuterWrap outer_wrap;
  std::array<unsigned char, 32> seed{};
  std::array<unsigned char, 256> ciphertext{};
};

RawRsaCredential::RawRsaCredential(ByteView modulus) : state_(std::make_unique<State>()) {
  RSA* rsa = RSA_new();
  BIGNUM* exponent = BN_new();
  must(BN_set_word(exponent, RSA_F4) == 1);
  must(RSA_set0_key(rsa, BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr), exponent, nullptr) == 1);
  must(EVP_PKEY_assign_RSA(state_->key, rsa) == 1);
  state_->context = EVP_PKEY_CTX_new_from_pkey(nullptr, state_->key, nullptr);
  must(EVP_PKEY_encrypt_init(state_->context) == 1);
  must(EVP_PKEY_CTX_set_rsa_padding(state_->context, RSA_PKCS1_OAEP_PADDING) == 1);
  must(EVP_PKEY_CTX_set_rsa_oaep_md(state_->context, EVP_sha256()) == 1);
  must(EVP_PKEY_CTX_set0_rsa_oaep_label(state_->context, OPENSSL_memdup("IDENTITY", 9), 9) == 1);
}

RawRsaCredential::~RawRsaCredential() {
  EVP_PKEY_CTX_free(state_->context);
  EVP_PKEY_free(state_->key);
}

void RawRsaCredential::operator()() {
  must(RAND_bytes(state_->seed.data(), 32) == 1);
  std::size_t size = state_->ciphertext.size();
  must(EVP_PKEY_encrypt(state_->context, state_->ciphertext.data(), &size, state_->seed.data(), 32) == 1);
  state_->outer_wrap(state_->seed);
}

struct RawEcCredential::State {
  EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  EC_KEY* peer = EC_KEY_new();
  EC_KEY* ephemeral = EC_KEY_new();
  RawOuterWrap outer_wrap;
};

RawEcCredential::RawEcCredential() : state_(std::make_unique<State>()) {
  must(EC_KEY_set_group(state_->peer, state_->group) == 1 && EC_KEY_generate_key(state_->peer) == 1);
  must(EC_KEY_set_group(state_->ephemeral, state_->group) == 1);
}

RawEcCredential::~RawEcCredential() {
  EC_KEY_free(state_->ephemeral);
  EC_KEY_free(state_->peer);
  EC_GROUP_free(state_->group);
}

void RawEcCredential::operator()() {
  std::array<unsigned char, 4 + 32 + 9 + 32 + 32> kdfe_input{};
  std::array<unsigned char, 65> sent_point{};
  Sha256Digest seed;
  SHA256_CTX context;
  must(EC_KEY_generate_key(state_->ephemeral) == 1);
  must(ECDH_compute_key(kdfe_input.data() + 4, 32, EC_KEY_get0_public_key(state_->peer), state_->ephemeral, nullptr) ==
       32);
  // The credential carries the ephemeral point in affine form, and KDFe hashes its x coordinate.
  must(EC_POINT_point2oct(state_->group, EC_KEY_get0_public_key(state_->ephemeral), POINT_CONVERSION_UNCOMPRESSED,
                          sent_point.data(), sent_point.size(), nullptr) == sent_point.size());
  std::memcpy(kdfe_input.data() + 45, sent_point.data() + 1, 32);
  SHA256_Init(&context);
  SHA256_Update(&context, kdfe_input.data(), kdfe_input.size());
  SHA256_Final(seed.data(), &context);
  state_->outer_wrap(seed);
}

}  // namespace warifu::bench

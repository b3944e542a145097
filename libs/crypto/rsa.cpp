#include "crypto/rsa.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "crypto/mgf1.h"
#include "crypto/openssl_handle.h"
#include "crypto/power.h"

namespace warifu::crypto {

void mask_with_mgf1(HashAlgorithm hash, ByteView seed, std::span<std::uint8_t> target) {
  for (std::uint8_t counter = 0; !target.empty(); ++counter) {
    const std::array<std::uint8_t, 4> counter_bytes = {0, 0, 0, counter};
    Digest mask = digest(hash, {seed, counter_bytes});
    const std::size_t taken = std::min(target.size(), mask.size());
    for (std::size_t i = 0; i < taken; ++i)
      target[i] ^= mask.bytes()[i];
    target = target.subspan(taken);
    wipe(mask.writable());
  }
}

namespace {

// EME-OAEP (RFC 8017 §7.1.1, step 2). OpenSSL's own draws its seed past our Entropy.
SecretBytes encode_oaep(HashAlgorithm hash, ByteView label, ByteView message, std::size_t size, Entropy& entropy) {
  const std::size_t hash_size = digest_size(hash);
  SecretBytes encoded(size);
  const std::span<std::uint8_t> all = encoded.reveal_writable();
  const std::span<std::uint8_t> seed = all.subspan(1, hash_size);
  const std::span<std::uint8_t> data_block = all.subspan(1 + hash_size);

  std::ranges::copy(digest(hash, {label}).bytes(), data_block.begin());
  data_block[data_block.size() - message.size() - 1] = 1;
  std::ranges::copy(message, data_block.last(message.size()).begin());
  entropy.fill(seed);
  mask_with_mgf1(hash, seed, data_block);
  mask_with_mgf1(hash, data_block, seed);
  return encoded;
}

Result<RsaPublicKey> public_numbers(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) return invalid_input("crypto.rsa.type", "expected an RSA key, another kind came");
  const BignumHandle modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const BignumHandle exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  require(BN_num_bits(exponent.get()) <= 32, "an exponent as PublicKey takes it");
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(modulus.get())));
  BN_bn2bin(modulus.get(), bytes.data());
  return RsaPublicKey::from_modulus(bytes, static_cast<std::uint32_t>(BN_get_word(exponent.get())));
}

}  // namespace

Result<RsaPublicKey> RsaPublicKey::from_modulus(ByteView modulus, std::uint32_t exponent) {
  const std::size_t bits = modulus.size() * 8;
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return invalid_input("crypto.rsa.modulus",
                         fmt::format("expected {} to {} bits, {} came", kMinRsaBits, kMaxRsaBits, bits));
  }
  if ((modulus.front() & 0x80) == 0)
    return invalid_input("crypto.rsa.modulus", "expected the highest bit to be set, it is clear");
  if ((modulus.back() & 1) == 0) return invalid_input("crypto.rsa.modulus", "expected an odd number, it is even");
  if (exponent < 3 || (exponent & 1) == 0)
    return invalid_input("crypto.rsa.exponent", fmt::format("expected an odd number from 3, {} came", exponent));
  return RsaPublicKey(to_bytes(modulus), exponent);
}

Result<Bytes> RsaPublicKey::encrypt_oaep(HashAlgorithm hash, ByteView label, ByteView message, Entropy& entropy) const {
  const std::size_t overhead = 2 * digest_size(hash) + 2;
  if (modulus_.size() < overhead || message.size() > modulus_.size() - overhead) {
    return invalid_input("crypto.rsa.message",
                         fmt::format("a message of {} bytes does not fit into RSA-{} with OAEP and {}", message.size(),
                                     modulus_.size() * 8, to_string(hash)));
  }
  const SecretBytes encoded = encode_oaep(hash, label, message, modulus_.size(), entropy);

  const BignumHandle number = to_bignum(encoded.reveal());
  const BignumHandle modulus = to_bignum(modulus_);
  const BnCtxHandle context(BN_CTX_new());
  const BnMontCtxHandle montgomery(BN_MONT_CTX_new());
  require(context && montgomery && BN_MONT_CTX_set(montgomery.get(), modulus.get(), context.get()) == 1,
          "BN_MONT_CTX_set");
  // OpenSSL's way to the same needs an RSA object, which costs more than all of OAEP.
  raise(number.get(), exponent_, montgomery.get(), context.get());
  Bytes ciphertext(modulus_.size());
  require(BN_bn2binpad(number.get(), ciphertext.data(), to_int(ciphertext.size())) > 0, "BN_bn2binpad");
  return ciphertext;
}

Result<RsaPublicKey> rsa_public_key(const PrivateKey& key) {
  return public_numbers(key.native());
}

Result<RsaPublicKey> rsa_public_key(const PublicKey& key) {
  return public_numbers(key.native());
}

Result<SecretBytes> rsa_decrypt_oaep(const PrivateKey& key, HashAlgorithm hash, ByteView label, ByteView ciphertext) {
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.native(), nullptr));
  require(context != nullptr, "EVP_PKEY_CTX_new_from_pkey");
  if (EVP_PKEY_decrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1) {
    ERR_clear_error();
    return invalid_input("crypto.rsa.type", "expected an RSA key, another kind came");
  }
  require(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), evp_digest(hash)) == 1, "EVP_PKEY_CTX_set_rsa_oaep_md");
  require(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), evp_digest(hash)) == 1, "EVP_PKEY_CTX_set_rsa_mgf1_md");
  if (!label.empty()) {
    void* owned_label = OPENSSL_memdup(label.data(), label.size());
    require(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), owned_label, to_int(label.size())) == 1,
            "EVP_PKEY_CTX_set0_rsa_oaep_label");
  }
  Bytes buffer(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())));
  std::size_t size = buffer.size();
  if (EVP_PKEY_decrypt(context.get(), buffer.data(), &size, ciphertext.data(), ciphertext.size()) != 1) {
    ERR_clear_error();
    return Error{ErrorKind::kRefused, "crypto.rsa.decrypt", "the ciphertext does not open with this key and label"};
  }
  const SecretBytes whole(std::move(buffer));
  return SecretBytes::copy_of(whole.reveal().first(size));
}

}  // namespace warifu::crypto

#include "crypto/cfb.h"

#include <array>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

// Fetched once for the life of the process: to look an algorithm up by name costs more than to use it.
const EVP_CIPHER* aes_cfb(std::size_t key_size) {
  static const CipherHandle aes128(EVP_CIPHER_fetch(nullptr, "AES-128-CFB", nullptr));
  static const CipherHandle aes192(EVP_CIPHER_fetch(nullptr, "AES-192-CFB", nullptr));
  static const CipherHandle aes256(EVP_CIPHER_fetch(nullptr, "AES-256-CFB", nullptr));
  require(key_size == 16 || key_size == 24 || key_size == 32, "an AES key size");
  return key_size == 16 ? aes128.get() : key_size == 24 ? aes192.get() : aes256.get();
}

void cfb(ByteView key, std::span<std::uint8_t> data, bool encrypt) {
  static constexpr std::array<std::uint8_t, 16> kZeroIv{};
  const CipherCtxHandle context(EVP_CIPHER_CTX_new());
  require(context != nullptr, "EVP_CIPHER_CTX_new");
  require(
      EVP_CipherInit_ex2(context.get(), aes_cfb(key.size()), key.data(), kZeroIv.data(), encrypt ? 1 : 0, nullptr) == 1,
      "EVP_CipherInit_ex2");
  int written = 0;
  require(EVP_CipherUpdate(context.get(), data.data(), &written, data.data(), to_int(data.size())) == 1,
          "EVP_CipherUpdate");
  require(written == to_int(data.size()), "EVP_CipherUpdate");
}

}  // namespace

void cfb_encrypt(ByteView key, std::span<std::uint8_t> data) {
  cfb(key, data, true);
}

void cfb_decrypt(ByteView key, std::span<std::uint8_t> data) {
  cfb(key, data, false);
}

}  // namespace warifu::crypto

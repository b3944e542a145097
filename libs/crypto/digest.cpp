// OpenSSL 3.0 deprecates its low-level hash functions in favour of EVP, which fetches the algorithm or allocates a
// context on every use: 2 to 5 times the cost of hashing the few bytes that a TPM structure has (docs/performance.md).
// They are still there and supported, so this one file uses them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/secret.h"

namespace warifu::crypto {
namespace {

template <class Context, int (*Init)(Context*), int (*Update)(Context*, const void*, std::size_t),
          int (*Final)(unsigned char*, Context*), std::size_t BlockSize, HashAlgorithm Algorithm>
class Hasher {
 public:
  static constexpr std::size_t kBlockSize = BlockSize;
  static constexpr HashAlgorithm kAlgorithm = Algorithm;

  Hasher() { Init(&context_); }
  Hasher& add(ByteView bytes) {
    Update(&context_, bytes.data(), bytes.size());
    return *this;
  }
  Hasher& add(std::initializer_list<ByteView> parts) {
    for (const ByteView part : parts)
      add(part);
    return *this;
  }
  Digest finish() {
    Digest result(Algorithm);
    Final(result.writable().data(), &context_);
    return result;
  }
  void forget() { wipe({reinterpret_cast<std::uint8_t*>(&context_), sizeof context_}); }

 private:
  Context context_;
};

using Sha1 = Hasher<SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, 64, HashAlgorithm::kSha1>;
using Sha256 = Hasher<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, 64, HashAlgorithm::kSha256>;
using Sha384 = Hasher<SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final, 128, HashAlgorithm::kSha384>;
using Sha512 = Hasher<SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, 128, HashAlgorithm::kSha512>;

// Has no low-level functions.
class Sm3 {
 public:
  static constexpr std::size_t kBlockSize = 64;

  Sm3() {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sm3(), nullptr) != 1) std::abort();
  }
  Sm3& add(ByteView bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
    return *this;
  }
  Sm3& add(std::initializer_list<ByteView> parts) {
    for (const ByteView part : parts)
      add(part);
    return *this;
  }
  Digest finish() {
    Digest result(HashAlgorithm::kSm3);
    EVP_DigestFinal_ex(context_.get(), result.writable().data(), nullptr);
    return result;
  }
  void forget() { EVP_MD_CTX_reset(context_.get()); }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

template <class H>
Digest digest_with(std::initializer_list<ByteView> parts) {
  return H().add(parts).finish();
}

template <class H>
Digest hmac_with(ByteView key, std::initializer_list<ByteView> parts) {
  std::array<std::uint8_t, H::kBlockSize> pad{};
  if (key.size() > pad.size())
    std::ranges::copy(digest_with<H>({key}).bytes(), pad.begin());
  else
    std::ranges::copy(key, pad.begin());

  for (auto& byte : pad)
    byte ^= 0x36;
  H inner;
  const Digest inner_digest = inner.add(pad).add(parts).finish();
  for (auto& byte : pad)
    byte ^= 0x36 ^ 0x5c;
  H outer;
  const Digest result = outer.add(pad).add(inner_digest.bytes()).finish();

  inner.forget();
  outer.forget();
  wipe(pad);
  return result;
}

}  // namespace

std::string_view to_string(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1:
      return "SHA-1";
    case HashAlgorithm::kSha256:
      return "SHA-256";
    case HashAlgorithm::kSha384:
      return "SHA-384";
    case HashAlgorithm::kSha512:
      return "SHA-512";
    case HashAlgorithm::kSm3:
      return "SM3";
  }
  std::abort();
}

Digest digest(HashAlgorithm algorithm, std::initializer_list<ByteView> parts) {
  switch (algorithm) {
    case HashAlgorithm::kSha1:
      return digest_with<Sha1>(parts);
    case HashAlgorithm::kSha256:
      return digest_with<Sha256>(parts);
    case HashAlgorithm::kSha384:
      return digest_with<Sha384>(parts);
    case HashAlgorithm::kSha512:
      return digest_with<Sha512>(parts);
    case HashAlgorithm::kSm3:
      return digest_with<Sm3>(parts);
  }
  std::abort();
}

Digest hmac(HashAlgorithm algorithm, ByteView key, std::initializer_list<ByteView> parts) {
  switch (algorithm) {
    case HashAlgorithm::kSha1:
      return hmac_with<Sha1>(key, parts);
    case HashAlgorithm::kSha256:
      return hmac_with<Sha256>(key, parts);
    case HashAlgorithm::kSha384:
      return hmac_with<Sha384>(key, parts);
    case HashAlgorithm::kSha512:
      return hmac_with<Sha512>(key, parts);
    case HashAlgorithm::kSm3:
      return hmac_with<Sm3>(key, parts);
  }
  std::abort();
}

}  // namespace warifu::crypto

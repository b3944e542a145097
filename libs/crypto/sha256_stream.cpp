#include "crypto/sha256_stream.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace warifu::crypto {

class Sha256Stream::Context {
 public:
  Context() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) != 1) std::abort();
  }
  ~Context() { EVP_MD_CTX_free(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  EVP_MD_CTX* get() { return context_; }

 private:
  EVP_MD_CTX* context_;
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;

void Sha256Stream::add(ByteView bytes) {
  if (EVP_DigestUpdate(context_->get(), bytes.data(), bytes.size()) != 1) std::abort();
}

Digest Sha256Stream::finish() {
  Digest digest(HashAlgorithm::kSha256);
  if (EVP_DigestFinal_ex(context_->get(), digest.writable().data(), nullptr) != 1) std::abort();
  return digest;
}

}  // namespace warifu::crypto

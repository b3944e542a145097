#include "crypto/digest_stream.h"

#include "crypto/openssl_handle.h"

namespace warifu::crypto {

class DigestStream::Context {
 public:
  explicit Context(HashAlgorithm algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {
    require(context_ && EVP_DigestInit_ex(context_.get(), evp_digest(algorithm), nullptr) == 1, "EVP_DigestInit_ex");
  }
  void add(ByteView bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "EVP_DigestUpdate");
  }
  Digest finish() {
    Digest digest(algorithm_);
    require(EVP_DigestFinal_ex(context_.get(), digest.writable().data(), nullptr) == 1, "EVP_DigestFinal_ex");
    return digest;
  }

 private:
  HashAlgorithm algorithm_;
  MdCtxHandle context_;
};

DigestStream::DigestStream(HashAlgorithm algorithm) : context_(std::make_unique<Context>(algorithm)) {
}
DigestStream::~DigestStream() = default;
DigestStream::DigestStream(DigestStream&&) noexcept = default;
DigestStream& DigestStream::operator=(DigestStream&&) noexcept = default;

void DigestStream::add(ByteView bytes) {
  context_->add(bytes);
}

Digest DigestStream::finish() {
  return context_->finish();
}

}  // namespace warifu::crypto

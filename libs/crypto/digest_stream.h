#pragma once

#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace warifu::crypto {

// The digest of what comes piece by piece, for what is too large to be held at once.
class DigestStream {
 public:
  explicit DigestStream(HashAlgorithm algorithm);
  ~DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;

  void add(ByteView bytes);
  // Once, at the end.
  Digest finish();

 private:
  class Context;
  std::unique_ptr<Context> context_;
};

}  // namespace warifu::crypto

#pragma once

#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace warifu::crypto {

// SHA-256 of what comes piece by piece, for what is too large to be held at once.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;

  void add(ByteView bytes);
  // Once, at the end.
  Digest finish();

 private:
  class Context;
  std::unique_ptr<Context> context_;
};

}  // namespace warifu::crypto

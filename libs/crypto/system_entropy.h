#pragma once

#include "base/entropy.h"

namespace warifu::crypto {

// The operating system's randomness, through OpenSSL's generator. Without it nothing here is safe, so a failure ends
// the process.
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace warifu::crypto

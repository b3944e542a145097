#pragma once

#include <cstdint>
#include <span>

namespace warifu {

// The only way to random bytes, so that a simulation can be replayed from a seed. The real one is
// crypto::SystemEntropy.
class Entropy {
 public:
  virtual ~Entropy() = default;
  // Fills all of `out` with unpredictable bytes. Safe to call from several threads.
  virtual void fill(std::span<std::uint8_t> out) = 0;
};

}  // namespace warifu

#include "sim/deterministic.h"

#include <algorithm>

#include "crypto/digest.h"
#include "wire/writer.h"

namespace warifu::sim {

void SeededEntropy::fill(std::span<std::uint8_t> out) {
  const std::lock_guard lock(mutex_);
  while (!out.empty()) {
    if (unused_ == 0) {
      const Bytes input = wire::Writer(16).u64(seed_).u64(blocks_++).take();
      std::ranges::copy(crypto::digest(crypto::HashAlgorithm::kSha256, {input}).bytes(), block_.begin());
      unused_ = block_.size();
    }
    const std::size_t taken = std::min(out.size(), unused_);
    std::ranges::copy(std::span(block_).last(unused_).first(taken), out.begin());
    unused_ -= taken;
    out = out.subspan(taken);
  }
}

}  // namespace warifu::sim

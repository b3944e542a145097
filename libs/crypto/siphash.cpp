#include "crypto/siphash.h"

#include <array>
#include <bit>
#include <cstring>

namespace warifu::crypto {
namespace {

// Little-endian; at most 8 bytes.
std::uint64_t word_of(ByteView bytes) {
  std::uint64_t word = 0;
  if (std::endian::native == std::endian::little && bytes.size() == sizeof word) {
    std::memcpy(&word, bytes.data(), sizeof word);
    return word;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

class SipState {
 public:
  explicit SipState(const SipKey& key)
      : a_(key.first ^ 0x736f6d6570736575),
        b_(key.second ^ 0x646f72616e646f6d),
        c_(key.first ^ 0x6c7967656e657261),
        d_(key.second ^ 0x7465646279746573) {}

  void add(std::uint64_t word) {
    d_ ^= word;
    round();
    round();
    a_ ^= word;
  }
  std::uint64_t finish() {
    c_ ^= 0xff;
    for (int i = 0; i < 4; ++i)
      round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void round() {
    a_ += b_, b_ = std::rotl(b_, 13) ^ a_, a_ = std::rotl(a_, 32);
    c_ += d_, d_ = std::rotl(d_, 16) ^ c_;
    a_ += d_, d_ = std::rotl(d_, 21) ^ a_;
    c_ += b_, b_ = std::rotl(b_, 17) ^ c_, c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_, b_, c_, d_;
};

}  // namespace

SipKey SipKey::random(Entropy& entropy) {
  std::array<std::uint8_t, sizeof(SipKey)> drawn{};
  entropy.fill(drawn);
  return std::bit_cast<SipKey>(drawn);
}

std::uint64_t siphash(const SipKey& key, ByteView bytes) {
  SipState state(key);
  const std::uint64_t size = bytes.size();
  for (; bytes.size() >= 8; bytes = bytes.subspan(8))
    state.add(word_of(bytes.first(8)));
  state.add(word_of(bytes) | size << 56);
  return state.finish();
}

}  // namespace warifu::crypto

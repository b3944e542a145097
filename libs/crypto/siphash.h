#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/entropy.h"

namespace warifu::crypto {

struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  static SipKey random(Entropy& entropy);
};

// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", Indocrypt 2012): where something lies in a hash
// table, so that nobody without the key can have everything lie in one place. Some 15 ns for 20 bytes.
std::uint64_t siphash(const SipKey& key, ByteView bytes);

}  // namespace warifu::crypto

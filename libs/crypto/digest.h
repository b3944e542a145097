#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/bytes.h"

namespace warifu::crypto {

// SM3 (GB/T 32905-2016) is there to read what Chinese firmware measures; no key of ours is used with it.
enum class HashAlgorithm : std::uint8_t { kSha1, kSha256, kSha384, kSha512, kSm3 };

inline constexpr std::size_t kMaxDigestSize = 64;

constexpr std::size_t digest_size(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1:
      return 20;
    case HashAlgorithm::kSha256:
    case HashAlgorithm::kSm3:
      return 32;
    case HashAlgorithm::kSha384:
      return 48;
    case HashAlgorithm::kSha512:
      return 64;
  }
  return 0;
}

// "SHA-256"
std::string_view to_string(HashAlgorithm algorithm);

// The result of a hash or a MAC, held in place. It does not wipe itself: wipe(digest.writable()) when it is a key.
class Digest {
 public:
  explicit Digest(HashAlgorithm algorithm) : algorithm_(algorithm) {}

  HashAlgorithm algorithm() const { return algorithm_; }
  std::size_t size() const { return digest_size(algorithm_); }
  ByteView bytes() const { return ByteView(buffer_).first(size()); }
  std::span<std::uint8_t> writable() { return std::span(buffer_).first(size()); }

  friend bool operator==(const Digest&, const Digest&) = default;

 private:
  HashAlgorithm algorithm_;
  std::array<std::uint8_t, kMaxDigestSize> buffer_{};
};

// Of the parts one after another.
Digest digest(HashAlgorithm algorithm, std::initializer_list<ByteView> parts);
// RFC 2104.
Digest hmac(HashAlgorithm algorithm, ByteView key, std::initializer_list<ByteView> parts);

}  // namespace warifu::crypto

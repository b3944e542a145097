#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace warifu::tpm {

// The unique identifier of an object: nameAlg | H(TPMT_PUBLIC) (Part 1, "Names"). It covers the key and all its
// attributes.
class Name {
 public:
  static Name of(crypto::HashAlgorithm name_algorithm, ByteView tpmt_public);
  // nameAlg and a digest of its length, nothing else. "tpm.name".
  static Result<Name> parse(ByteView bytes);

  crypto::HashAlgorithm algorithm() const { return algorithm_; }
  ByteView bytes() const { return ByteView(buffer_).first(2 + crypto::digest_size(algorithm_)); }
  // Lower-case hexadecimal of bytes().
  std::string text() const { return to_hex(bytes()); }

  friend bool operator==(const Name&, const Name&) = default;

 private:
  Name(crypto::HashAlgorithm algorithm, ByteView digest);

  crypto::HashAlgorithm algorithm_;
  std::array<std::uint8_t, 2 + crypto::kMaxDigestSize> buffer_{};
};

}  // namespace warifu::tpm

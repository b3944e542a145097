#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"

namespace warifu::trust_bundle {

// The SubjectPublicKeyInfo of a key in the one encoding that counts here: for EC the curve by its name and the point
// uncompressed (RFC 5480 §2), whatever encoding the key came in.
Bytes one_encoding(const crypto::PublicKey& key);

// What a key is called: the SHA-256 of its one encoding, so that no key has two names.
class KeyId {
 public:
  static constexpr std::size_t kSize = 32;

  static KeyId of(const crypto::PublicKey& key);
  // Of the key as somebody encoded it; the same as of() but for odd encodings.
  static KeyId of_encoding(ByteView spki);
  // 64 digits in lower case. "bundle.format".
  static Result<KeyId> parse(std::string_view hex);

  std::string hex() const;
  friend auto operator<=>(const KeyId&, const KeyId&) = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

// A key whose signature on a bundle counts: EC P-256 or P-384, in the one encoding. "bundle.key".
struct SigningKey {
  KeyId id;
  crypto::PublicKey key;

  static Result<SigningKey> parse(ByteView spki);
  static Result<SigningKey> of(const crypto::PublicKey& key);
  SigningKey clone() const { return {id, key.clone()}; }
};

}  // namespace warifu::trust_bundle

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"

namespace warifu::signing_keys {

// How many people hold a part, and how many of them it takes. 2 <= threshold <= count <= 20.
struct ShareScheme {
  std::uint8_t threshold;
  std::uint8_t count;
};

// One person's part of a secret (Shamir's scheme over GF(2^8), by libgfshare). Fewer than the threshold say nothing
// about the secret but its size.
struct Share {
  std::uint32_t set;  // drawn for each split: parts of different splits do not fit together
  ShareScheme scheme;
  std::uint8_t number;  // 1 to count
  SecretBytes part;

  // One line of text for a safe: warifu-share-v1-SET-THRESHOLD-COUNT-NUMBER-PART-CHECK in hexadecimal.
  SecretBytes to_text() const;
  // White space around and within it is skipped, so that it may be typed in groups, and in capitals. kInvalidInput
  // "share.form", or "share.check" when a character is wrong.
  static Result<Share> parse(std::string_view text);
};

// kInvalidInput "share.scheme".
Result<std::vector<Share>> split(const SecretBytes& secret, const ShareScheme& scheme, Entropy& entropy);
// kInvalidInput "share.set" for parts of different splits, "share.twice" for one that came twice, "share.too_few".
Result<SecretBytes> combine(std::span<const Share> shares);

}  // namespace warifu::signing_keys

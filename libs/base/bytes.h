#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// The bytes of a text, without copying.
ByteView as_bytes(std::string_view text);
// The text that these bytes are, without copying and without checking UTF-8.
std::string_view as_text(ByteView bytes);

inline Bytes to_bytes(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

// Lower-case hexadecimal, two digits a byte.
std::string to_hex(ByteView bytes);
// Accepts both cases; an odd length or another character is refused with its offset.
Result<Bytes> from_hex(std::string_view text);

// RFC 4648 §4, with padding.
std::string to_base64(ByteView bytes);
// Strict: padding is required, no white space, no other character, unused bits are zero.
Result<Bytes> from_base64(std::string_view text);

// RFC 4648 §5, without padding: for tokens that travel in URLs and headers.
std::string to_base64url(ByteView bytes);
Result<Bytes> from_base64url(std::string_view text);

// RFC 4648 §6, lower case, without padding: the default registration ID of a TPM device.
std::string to_base32_lower(ByteView bytes);

// True when both are the same, in a time that depends only on the lengths: for MACs and token hashes.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace warifu

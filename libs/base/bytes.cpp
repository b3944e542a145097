#include "base/bytes.h"

#include <fmt/format.h>

#include <array>

namespace warifu {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> reverse(std::string_view alphabet) {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}

// Groups the bits of `bytes` into digits of `bits_per_digit`, most significant first, zero bits at the end.
std::string encode(ByteView bytes, std::string_view alphabet, unsigned bits_per_digit) {
  std::string text;
  text.reserve((bytes.size() * 8 + bits_per_digit - 1) / bits_per_digit + 2);
  unsigned pending = 0;
  unsigned pending_bits = 0;
  const unsigned mask = (1U << bits_per_digit) - 1;
  for (const std::uint8_t byte : bytes) {
    pending = (pending << 8) | byte;
    pending_bits += 8;
    while (pending_bits >= bits_per_digit) {
      pending_bits -= bits_per_digit;
      text.push_back(alphabet[(pending >> pending_bits) & mask]);
    }
    pending &= (1U << pending_bits) - 1;
  }
  if (pending_bits > 0) text.push_back(alphabet[(pending << (bits_per_digit - pending_bits)) & mask]);
  return text;
}

Error bad_digit(std::string_view code, std::string_view what, std::size_t offset) {
  return invalid_input(code, fmt::format("not {}", what), fmt::format("character {}", offset));
}

Result<Bytes> decode_base64_digits(std::string_view digits, const std::array<std::uint8_t, 256>& table,
                                   std::string_view what) {
  if (digits.size() % 4 == 1) return bad_digit("text.base64", what, digits.size());
  Bytes bytes;
  bytes.reserve(digits.size() * 3 / 4);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::uint8_t digit = table[static_cast<std::uint8_t>(digits[i])];
    if (digit == kNoDigit) return bad_digit("text.base64", what, i);
    pending = (pending << 6) | digit;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
      pending &= (1U << pending_bits) - 1;
    }
  }
  if (pending != 0) return bad_digit("text.base64", what, digits.size() - 1);
  return bytes;
}

}  // namespace

ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes) {
  return encode(bytes, kHexDigits, 4);
}

Result<Bytes> from_hex(std::string_view text) {
  constexpr auto kLower = reverse(kHexDigits);
  constexpr auto kUpper = reverse("0123456789ABCDEF");
  if (text.size() % 2 != 0) return bad_digit("text.hex", "hexadecimal: an odd number of digits", text.size());
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto character = static_cast<std::uint8_t>(text[i]);
    const std::uint8_t digit = kLower[character] != kNoDigit ? kLower[character] : kUpper[character];
    if (digit == kNoDigit) return bad_digit("text.hex", "a hexadecimal digit", i);
    if (i % 2 == 0)
      bytes.push_back(static_cast<std::uint8_t>(digit << 4));
    else
      bytes.back() = static_cast<std::uint8_t>(bytes.back() | digit);
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text = encode(bytes, kBase64, 6);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  static constexpr auto kTable = reverse(kBase64);
  if (text.size() % 4 != 0) return bad_digit("text.base64", "base64: the length is not a multiple of 4", text.size());
  std::string_view digits = text;
  for (int i = 0; i < 2 && digits.ends_with('='); ++i)
    digits.remove_suffix(1);
  return decode_base64_digits(digits, kTable, "base64");
}

std::string to_base64url(ByteView bytes) {
  return encode(bytes, kBase64Url, 6);
}

Result<Bytes> from_base64url(std::string_view text) {
  static constexpr auto kTable = reverse(kBase64Url);
  return decode_base64_digits(text, kTable, "base64url");
}

std::string to_base32_lower(ByteView bytes) {
  return encode(bytes, kBase32, 5);
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace warifu

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"

namespace warifu::crypto {

// The serial number of a certificate as RFC 5280 §4.1.2.2 allows it: positive, and at most 20 bytes in DER. Held in
// place: there may be a million of them.
class SerialNumber {
 public:
  static constexpr std::size_t kMaxSize = 20;

  // Big-endian, without leading zeros; of 20 bytes the top bit is clear. "crypto.serial.form".
  static Result<SerialNumber> from_bytes(ByteView bytes);
  // 16 bytes, the first one 0x40 to 0x7f, so that all have the same size: 126 bits that nobody guesses.
  static SerialNumber random(Entropy& entropy);

  ByteView bytes() const { return ByteView(bytes_).first(size_); }

  friend bool operator==(const SerialNumber&, const SerialNumber&) = default;
  // By number.
  friend auto operator<=>(const SerialNumber&, const SerialNumber&) = default;

 private:
  SerialNumber() = default;

  std::uint8_t size_ = 0;
  std::array<std::uint8_t, kMaxSize> bytes_{};  // zeros after the number
};
static_assert(sizeof(SerialNumber) == 21);

}  // namespace warifu::crypto

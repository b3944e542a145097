#include "crypto/serial_number.h"

#include <algorithm>

namespace warifu::crypto {

Result<SerialNumber> SerialNumber::from_bytes(ByteView bytes) {
  const bool fits =
      !bytes.empty() && bytes.size() <= kMaxSize && bytes[0] != 0 && !(bytes.size() == kMaxSize && bytes[0] >= 0x80);
  if (!fits)
    return invalid_input("crypto.serial.form",
                         "expected a serial number of 1 to 20 bytes with its sign, positive, without leading zeros");
  SerialNumber number;
  number.size_ = static_cast<std::uint8_t>(bytes.size());
  std::ranges::copy(bytes, number.bytes_.begin());
  return number;
}

SerialNumber SerialNumber::random(Entropy& entropy) {
  SerialNumber number;
  number.size_ = 16;
  entropy.fill(std::span(number.bytes_).first(number.size_));
  number.bytes_[0] = static_cast<std::uint8_t>((number.bytes_[0] & 0x3f) | 0x40);
  return number;
}

}  // namespace warifu::crypto

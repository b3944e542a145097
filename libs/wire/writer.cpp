#include "wire/writer.h"

#include <cstdlib>

namespace warifu::wire {

Writer& Writer::u8(std::uint8_t value) {
  out_.push_back(value);
  return *this;
}

Writer& Writer::u16(std::uint16_t value) {
  return u8(static_cast<std::uint8_t>(value >> 8)).u8(static_cast<std::uint8_t>(value & 0xff));
}

Writer& Writer::u32(std::uint32_t value) {
  return u16(static_cast<std::uint16_t>(value >> 16)).u16(static_cast<std::uint16_t>(value & 0xffff));
}

Writer& Writer::u64(std::uint64_t value) {
  return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value & 0xffffffff));
}

Writer& Writer::bytes(ByteView value) {
  out_.insert(out_.end(), value.begin(), value.end());
  return *this;
}

Writer& Writer::sized16(ByteView value) {
  if (value.size() > 0xffff) std::abort();
  return u16(static_cast<std::uint16_t>(value.size())).bytes(value);
}

}  // namespace warifu::wire

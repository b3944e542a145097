#pragma once

#include <vector>

#include "recording.h"
#include "wire/writer.h"

// Commands and responses as the tests of the readers need them.
namespace warifu::bus {

inline Bytes frame(std::uint16_t tag, std::uint32_t code, const wire::Writer& rest) {
  return wire::Writer()
      .u16(tag)
      .u32(static_cast<std::uint32_t>(kHeaderSize + rest.view().size()))
      .u32(code)
      .bytes(rest.view())
      .take();
}

inline Bytes session(std::uint32_t handle, std::uint8_t attributes, ByteView hmac) {
  return wire::Writer().u32(handle).sized16(Bytes(16, 7)).u8(attributes).sized16(hmac).take();
}

// A command on one handle with these sessions.
inline Bytes with_sessions(std::uint32_t code, const std::vector<Bytes>& sessions, ByteView parameters = {}) {
  wire::Writer area;
  for (const Bytes& one : sessions)
    area.bytes(one);
  wire::Writer rest;
  rest.u32(0x80000001).u32(static_cast<std::uint32_t>(area.view().size())).bytes(area.view()).bytes(parameters);
  return frame(0x8002, code, rest);
}
inline Bytes unseal(const std::vector<Bytes>& sessions) {
  return with_sessions(0x15E, sessions);
}

inline Bytes start_session(std::uint32_t salt_key) {
  wire::Writer rest;
  rest.u32(salt_key).u32(0x40000007).sized16(Bytes(16)).sized16(Bytes(256)).u8(0);
  return frame(0x8001, 0x176, rest);
}

inline Message command(Bytes bytes) {
  return {Direction::kCommand, std::move(bytes)};
}
inline Message success(const wire::Writer& rest = {}) {
  return {Direction::kResponse, frame(0x8001, 0, rest)};
}

}  // namespace warifu::bus

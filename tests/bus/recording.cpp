#include "recording.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::bus {
namespace {

std::uint32_t big_endian(ByteView bytes) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes)
    value = value << 8 | byte;
  return value;
}

}  // namespace

std::size_t announced_size(ByteView message) {
  return message.size() < 6 ? 0 : big_endian(message.subspan(2, 4));
}

std::uint32_t code_of(ByteView message) {
  return message.size() < kHeaderSize ? 0 : big_endian(message.subspan(6, 4));
}

Bytes to_record(const Message& message) {
  return wire::Writer(message.bytes.size() + 5)
      .u8(static_cast<std::uint8_t>(message.direction))
      .u32(static_cast<std::uint32_t>(message.bytes.size()))
      .bytes(message.bytes)
      .take();
}

Result<Recording> parse_recording(ByteView file) {
  wire::Reader reader(file);
  Recording recording;
  while (reader.remaining() > 0) {
    const std::size_t offset = reader.offset();
    TRY(const std::uint8_t direction, reader.u8("direction"));
    if (direction != 'C' && direction != 'R')
      return invalid_input("bus.recording.direction", "a record starts with C or R", wire::place("direction", offset));
    TRY(const std::uint32_t size, reader.u32("length"));
    TRY(const ByteView bytes, reader.bytes(size, "bytes"));
    recording.push_back({static_cast<Direction>(direction), to_bytes(bytes)});
  }
  return recording;
}

}  // namespace warifu::bus

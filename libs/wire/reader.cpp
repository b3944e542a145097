#include "wire/reader.h"

#include <fmt/format.h>

namespace warifu::wire {

std::string place(std::string_view field, std::size_t offset) {
  return fmt::format("{}, offset {}", field, offset);
}

template <class Unsigned>
Result<Unsigned> Reader::integer(std::string_view field) {
  TRY(const ByteView raw, bytes(sizeof(Unsigned), field));
  std::uint64_t value = 0;
  for (const std::uint8_t byte : raw)
    value = value << 8 | byte;
  return static_cast<Unsigned>(value);
}

Result<std::uint8_t> Reader::u8(std::string_view field) {
  return integer<std::uint8_t>(field);
}

Result<std::uint16_t> Reader::u16(std::string_view field) {
  return integer<std::uint16_t>(field);
}

Result<std::uint32_t> Reader::u32(std::string_view field) {
  return integer<std::uint32_t>(field);
}

Result<std::uint64_t> Reader::u64(std::string_view field) {
  return integer<std::uint64_t>(field);
}

Result<ByteView> Reader::bytes(std::size_t size, std::string_view field) {
  if (size > remaining()) {
    return invalid_input("wire.truncated", fmt::format("expected {} bytes, only {} are left", size, remaining()),
                         place(field, offset()));
  }
  const ByteView taken = input_.subspan(position_, size);
  position_ += size;
  return taken;
}

Result<ByteView> Reader::sized16(std::string_view field) {
  TRY(const std::uint16_t size, u16(field));
  return bytes(size, field);
}

Result<Reader> Reader::sized16_reader(std::string_view field) {
  TRY(const ByteView inner, sized16(field));
  return Reader(inner, offset() - inner.size());
}

Status Reader::expect_done(std::string_view what) const {
  if (remaining() == 0) return {};
  return invalid_input("wire.trailing", fmt::format("expected the end, {} bytes are left over", remaining()),
                       place(what, offset()));
}

}  // namespace warifu::wire

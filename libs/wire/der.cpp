#include "wire/der.h"

#include <fmt/format.h>

#include <limits>

#include "wire/reader.h"

namespace warifu::wire {
namespace {

Error refused(std::string message, std::string_view field, std::size_t offset) {
  return invalid_input("wire.der", std::move(message), place(field, offset));
}

Error truncated(std::string_view field, std::size_t wanted, std::size_t left, std::size_t offset) {
  return invalid_input("wire.truncated", fmt::format("expected {} bytes, {} are left", wanted, left),
                       place(field, offset));
}

}  // namespace

// X.690, 8.1.3.
Result<std::size_t> DerReader::length(std::string_view field) {
  if (done()) return truncated(field, 1, 0, offset());
  const std::size_t at = offset();
  const std::uint8_t first = input_[position_++];
  if (first < 0x80) return std::size_t{first};
  const unsigned count = first & 0x7Fu;
  if (count == 0 || count > 4)
    return refused(fmt::format("expected a definite length of up to 4 bytes, 0x{:02x} came", first), field, at);
  if (count > input_.size() - position_) return truncated(field, count, input_.size() - position_, offset());
  std::size_t value = 0;
  for (unsigned i = 0; i < count; ++i)
    value = value << 8 | input_[position_++];
  return value;
}

Result<DerElement> DerReader::any(std::string_view field) {
  const std::size_t start = position_;
  if (done()) return truncated(field, 2, 0, offset());
  const std::uint8_t tag = input_[position_++];
  if ((tag & 0x1Fu) == 0x1F) return refused("expected a tag number below 31, a longer one came", field, base_ + start);
  TRY(const std::size_t size, length(field));
  if (size > input_.size() - position_) return truncated(field, size, input_.size() - position_, offset());
  const std::size_t content_at = position_;
  position_ += size;
  return DerElement{.tag = tag,
                    .content = input_.subspan(content_at, size),
                    .whole = input_.subspan(start, position_ - start),
                    .offset = base_ + start};
}

Result<DerElement> DerReader::element(std::uint8_t tag, std::string_view field) {
  if (!done() && input_[position_] != tag)
    return refused(fmt::format("expected tag 0x{:02x}, 0x{:02x} came", tag, input_[position_]), field, offset());
  return any(field);
}

Result<DerReader> DerReader::enter(std::uint8_t tag, std::string_view field) {
  TRY(const DerElement inner, element(tag, field));
  return DerReader(inner);
}

Result<bool> DerReader::boolean(std::string_view field) {
  TRY(const DerElement value, element(der::kBoolean, field));
  if (value.content.size() != 1)
    return refused(fmt::format("expected a BOOLEAN of 1 byte, {} came", value.content.size()), field, value.offset);
  return value.content.front() != 0;
}

Result<ByteView> DerReader::integer(std::string_view field) {
  TRY(const DerElement value, element(der::kInteger, field));
  if (value.content.empty()) return refused("expected an INTEGER of at least 1 byte", field, value.offset);
  return value.content;
}

Result<std::uint32_t> DerReader::small_integer(std::string_view field) {
  const std::size_t at = offset();
  TRY(const ByteView bytes, integer(field));
  std::uint64_t value = 0;
  if ((bytes.front() & 0x80) == 0 && bytes.size() <= 5) {
    for (const std::uint8_t byte : bytes)
      value = value << 8 | byte;
    if (value <= std::numeric_limits<std::uint32_t>::max()) return static_cast<std::uint32_t>(value);
  }
  return refused("expected an INTEGER from 0 to 2^32 - 1", field, at);
}

Result<ByteView> DerReader::oid(std::string_view field) {
  TRY(const DerElement value, element(der::kObjectIdentifier, field));
  if (value.content.empty() || (value.content.back() & 0x80) != 0)
    return refused("expected an OBJECT IDENTIFIER, its last arc has no end", field, value.offset);
  return value.content;
}

Result<ByteView> DerReader::whole_bytes(std::string_view field) {
  TRY(const DerElement value, element(der::kBitString, field));
  if (value.content.empty() || value.content.front() != 0)
    return refused("expected a BIT STRING without unused bits", field, value.offset);
  return value.content.subspan(1);
}

Status DerReader::expect_done(std::string_view what) const {
  if (done()) return {};
  return invalid_input("wire.trailing", fmt::format("{} bytes are left over after {}", input_.size() - position_, what),
                       place(what, offset()));
}

Result<std::string> oid_text(ByteView content) {
  std::string text;
  std::uint64_t arc = 0;
  for (const std::uint8_t byte : content) {
    if (arc > std::numeric_limits<std::uint64_t>::max() >> 7) return refused("an arc is above 2^64 - 1", "oid", 0);
    arc = arc << 7 | (byte & 0x7Fu);
    if ((byte & 0x80) != 0) continue;
    if (text.empty()) {
      const std::uint64_t first = arc < 80 ? arc / 40 : 2;
      text = fmt::format("{}.{}", first, arc - first * 40);
    } else {
      text += fmt::format(".{}", arc);
    }
    arc = 0;
  }
  if (content.empty() || (content.back() & 0x80) != 0) return refused("the last arc has no end", "oid", 0);
  return text;
}

}  // namespace warifu::wire

#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::measured_boot {

// A bounded cursor over the little-endian bytes of a log or of the data of one event. Like wire::Reader, which is for
// big-endian structures: views live as long as the input, and an error ("eventlog.truncated", "eventlog.trailing")
// names the field and its offset from the start of the file.
class Cursor {
 public:
  // `base` is where the input starts in the file: errors count from there.
  explicit Cursor(ByteView input, std::size_t base = 0) : input_(input), base_(base) {}

  template <std::unsigned_integral Unsigned>
  Result<Unsigned> integer(std::string_view field) {
    TRY(const ByteView raw, bytes(sizeof(Unsigned), field));
    return load<Unsigned>(raw.data());
  }
  Result<std::uint8_t> u8(std::string_view field) { return integer<std::uint8_t>(field); }
  Result<std::uint16_t> u16(std::string_view field) { return integer<std::uint16_t>(field); }
  Result<std::uint32_t> u32(std::string_view field) { return integer<std::uint32_t>(field); }
  Result<std::uint64_t> u64(std::string_view field) { return integer<std::uint64_t>(field); }
  // A size that somebody else wrote may be any number: it is compared with what is left before anything else.
  Result<ByteView> bytes(std::uint64_t size, std::string_view field) {
    if (size > remaining()) return too_long(size, field);
    const ByteView taken = input_.subspan(position_, static_cast<std::size_t>(size));
    position_ += taken.size();
    return taken;
  }
  ByteView rest() const { return input_.subspan(position_); }

  std::size_t offset() const { return base_ + position_; }
  std::size_t remaining() const { return input_.size() - position_; }
  Status expect_done(std::string_view what) const;

  template <std::unsigned_integral Unsigned>
  static Unsigned load(const std::uint8_t* bytes) {
    static_assert(std::endian::native == std::endian::little, "every machine that we build for is little-endian");
    Unsigned value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }

 private:
  Error too_long(std::uint64_t size, std::string_view field) const;

  ByteView input_;
  std::size_t base_;
  std::size_t position_ = 0;
};

}  // namespace warifu::measured_boot

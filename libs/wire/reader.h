#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::wire {

// A bounded cursor over big-endian bytes that someone else wrote. Views that it returns live as long as the input.
// Every error names the field that the caller was reading and its offset from the start of the outermost input:
// "wire.truncated" when the field is longer than what is left, "wire.trailing" when bytes are left over.
class Reader {
 public:
  explicit Reader(ByteView input) : input_(input) {}

  Result<std::uint8_t> u8(std::string_view field);
  Result<std::uint16_t> u16(std::string_view field);
  Result<std::uint32_t> u32(std::string_view field);
  Result<std::uint64_t> u64(std::string_view field);
  Result<ByteView> bytes(std::size_t size, std::string_view field);
  // A 16-bit size, then that many bytes: the form of every TPM2B (TPM 2.0 Part 2, "TPM2B Types").
  Result<ByteView> sized16(std::string_view field);
  // The same as a cursor of its own, whose offsets still count from the outermost input.
  Result<Reader> sized16_reader(std::string_view field);

  std::size_t offset() const { return base_ + position_; }
  std::size_t remaining() const { return input_.size() - position_; }
  // `what` names the structure that should have ended here.
  Status expect_done(std::string_view what) const;

 private:
  Reader(ByteView input, std::size_t base) : input_(input), base_(base) {}
  template <class Unsigned>
  Result<Unsigned> integer(std::string_view field);

  ByteView input_;
  std::size_t base_ = 0;
  std::size_t position_ = 0;
};

// "parameters.keyBits, offset 12": the `where` of an error about a binary field.
std::string place(std::string_view field, std::size_t offset);

}  // namespace warifu::wire

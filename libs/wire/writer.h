#pragma once

#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace warifu::wire {

// Appends big-endian fields: the counterpart of Reader.
class Writer {
 public:
  Writer() = default;
  explicit Writer(std::size_t expected_size) { out_.reserve(expected_size); }

  Writer& u8(std::uint8_t value);
  Writer& u16(std::uint16_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  Writer& bytes(ByteView value);
  // A 16-bit size, then the bytes (a TPM2B). That they are at most 65535 is the caller's invariant.
  Writer& sized16(ByteView value);

  ByteView view() const { return out_; }
  // Hands the bytes over; the writer is empty afterwards.
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace warifu::wire

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::wire {

// Identifier octets (X.690, 8.1.2) of what certificates are made of.
namespace der {
inline constexpr std::uint8_t kBoolean = 0x01;
inline constexpr std::uint8_t kInteger = 0x02;
inline constexpr std::uint8_t kBitString = 0x03;
inline constexpr std::uint8_t kOctetString = 0x04;
inline constexpr std::uint8_t kNull = 0x05;
inline constexpr std::uint8_t kObjectIdentifier = 0x06;
inline constexpr std::uint8_t kEnumerated = 0x0A;
inline constexpr std::uint8_t kUtf8String = 0x0C;
inline constexpr std::uint8_t kPrintableString = 0x13;
inline constexpr std::uint8_t kT61String = 0x14;
inline constexpr std::uint8_t kIa5String = 0x16;
inline constexpr std::uint8_t kUtcTime = 0x17;
inline constexpr std::uint8_t kGeneralizedTime = 0x18;
inline constexpr std::uint8_t kBmpString = 0x1E;
inline constexpr std::uint8_t kSequence = 0x30;
inline constexpr std::uint8_t kSet = 0x31;
// [number], as OpenSSL and RFC 5280 write it: primitive (implicit, of a primitive type) or constructed.
constexpr std::uint8_t context(unsigned number) {
  return static_cast<std::uint8_t>(0x80u | number);
}
constexpr std::uint8_t context_constructed(unsigned number) {
  return static_cast<std::uint8_t>(0xA0u | number);
}
}  // namespace der

// One element: views into the input.
struct DerElement {
  std::uint8_t tag = 0;
  ByteView content;
  ByteView whole;          // identifier and length octets too
  std::size_t offset = 0;  // of `whole` in the outermost input
  std::size_t content_offset() const { return offset + (whole.size() - content.size()); }
};

// A bounded cursor over DER that someone else wrote. It recurses into nothing by itself and allocates nothing. It takes
// definite lengths of up to four bytes and tag numbers below 31; a length in more bytes than it needs is taken too, as
// whoever verifies does so over the bytes that came. Codes: "wire.truncated", "wire.der" for what is no such element or
// not the expected one, "wire.trailing"; `where` is field and offset.
class DerReader {
 public:
  explicit DerReader(ByteView input, std::size_t base = 0) : input_(input), base_(base) {}
  // Of what the element holds.
  explicit DerReader(const DerElement& element) : DerReader(element.content, element.content_offset()) {}

  Result<DerElement> any(std::string_view field);
  Result<DerElement> element(std::uint8_t tag, std::string_view field);
  // The content of an element with this tag as a cursor of its own.
  Result<DerReader> enter(std::uint8_t tag, std::string_view field);

  // BOOLEAN; anything but 00 is true (X.690, 8.2.2).
  Result<bool> boolean(std::string_view field);
  // INTEGER, its two's complement big-endian bytes; at least one.
  Result<ByteView> integer(std::string_view field);
  // INTEGER from 0 to 2^32 - 1.
  Result<std::uint32_t> small_integer(std::string_view field);
  // OBJECT IDENTIFIER, its content; compare it with one that is known.
  Result<ByteView> oid(std::string_view field);
  // BIT STRING without unused bits, as keys and signatures are.
  Result<ByteView> whole_bytes(std::string_view field);

  bool done() const { return position_ == input_.size(); }
  bool next_is(std::uint8_t tag) const { return !done() && input_[position_] == tag; }
  std::size_t offset() const { return base_ + position_; }
  Status expect_done(std::string_view what) const;

 private:
  Result<std::size_t> length(std::string_view field);

  ByteView input_;
  std::size_t base_;
  std::size_t position_ = 0;
};

// Dotted decimals of an OBJECT IDENTIFIER's content. "wire.der" when it is none, or an arc is above 2^64 - 1.
Result<std::string> oid_text(ByteView content);

}  // namespace warifu::wire

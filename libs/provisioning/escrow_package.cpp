#include "provisioning/escrow_package.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "wire/reader.h"

namespace warifu::provisioning {
namespace {

// ITU-T X.690 §8.1.2: identifier octets.
constexpr std::uint8_t kObjectIdentifier = 0x06;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kExplicit0 = 0xa0;

// 1.2.840.113549.1.7.3 (RFC 5652 §6.1) and 1.2.840.113549.1.9.16.1.23 (RFC 5083 §2.1).
constexpr std::array<std::uint8_t, 9> kEnvelopedData = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
constexpr std::array<std::uint8_t, 11> kAuthEnvelopedData = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                                             0x01, 0x09, 0x10, 0x01, 0x17};

Error malformed(std::string message, std::string_view field, std::size_t offset) {
  return invalid_input("escrow.package", std::move(message), wire::place(field, offset));
}

// X.690 §10.1: the definite form, in as few octets as it takes. Two octets hold more than kSizeMax.
Result<std::size_t> read_length(wire::Reader& reader, std::string_view field) {
  const std::size_t offset = reader.offset();
  TRY(const std::uint8_t first, reader.u8(field));
  if (first < 0x80) return first;
  if (first == 0x81) {
    TRY(const std::uint8_t length, reader.u8(field));
    if (length >= 0x80) return length;
  } else if (first == 0x82) {
    TRY(const std::uint16_t length, reader.u16(field));
    if (length >= 0x100) return length;
  }
  return malformed("the length is not that of DER, or too long", field, offset);
}

// Tag and length of an element, whose content comes next.
Result<std::size_t> open_element(wire::Reader& reader, std::uint8_t tag, std::string_view field) {
  const std::size_t offset = reader.offset();
  TRY(const std::uint8_t found, reader.u8(field));
  if (found != tag)
    return malformed(fmt::format("expected the DER tag {:#04x}, found {:#04x}", tag, found), field, offset);
  return read_length(reader, field);
}

// The same of one that goes on until the end of the package.
Status open_last_element(wire::Reader& reader, std::uint8_t tag, std::string_view field) {
  const std::size_t offset = reader.offset();
  TRY(const std::size_t length, open_element(reader, tag, field));
  if (length == reader.remaining()) return {};
  return malformed(fmt::format("the element has {} bytes, {} are there", length, reader.remaining()), field, offset);
}

Status check_structure(ByteView der) {
  wire::Reader reader(der);
  TRY_STATUS(open_last_element(reader, kSequence, "ContentInfo"));
  const std::size_t offset = reader.offset();
  TRY(const std::size_t size, open_element(reader, kObjectIdentifier, "contentType"));
  TRY(const auto type, reader.bytes(size, "contentType"));
  if (!std::ranges::equal(type, kEnvelopedData) && !std::ranges::equal(type, kAuthEnvelopedData))
    return malformed("the content is neither EnvelopedData nor AuthEnvelopedData", "contentType", offset);
  TRY_STATUS(open_last_element(reader, kExplicit0, "content"));
  return open_last_element(reader, kSequence, "EnvelopedData");
}

}  // namespace

Result<EscrowPackage> EscrowPackage::parse(Bytes der) {
  if (der.size() > kSizeMax)
    return invalid_input("escrow.package.size",
                         fmt::format("a package has at most {} bytes, this one has {}", kSizeMax, der.size()));
  if (const auto status = check_structure(der); !status)
    return invalid_input("escrow.package", status.error().message, status.error().where);
  return EscrowPackage(std::move(der));
}

Bytes EscrowPackage::sha256() const {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {der_}).bytes());
}

}  // namespace warifu::provisioning

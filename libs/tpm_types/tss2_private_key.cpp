#include "tpm_types/tss2_private_key.h"

#include <array>

#include "wire/der.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

namespace der = wire::der;

// 2.23.133.10.1.3
constexpr std::array<std::uint8_t, 6> kLoadableKey = {0x67, 0x81, 0x05, 0x0A, 0x01, 0x03};
constexpr std::size_t kLineSize = 64;

// X.690, 8.1.3: in as few bytes as will do.
Bytes der_element(std::uint8_t tag, ByteView content) {
  wire::Writer out;
  out.u8(tag);
  if (content.size() < 0x80)
    out.u8(static_cast<std::uint8_t>(content.size()));
  else if (content.size() <= 0xff)
    out.u8(0x81).u8(static_cast<std::uint8_t>(content.size()));
  else
    out.u8(0x82).u16(static_cast<std::uint16_t>(content.size()));
  return out.bytes(content).take();
}

// INTEGER of a handle, whose top bit is set: as a positive number it has a zero before it.
Bytes der_handle(std::uint32_t value) {
  Bytes bytes = wire::Writer().u8(0).u32(value).take();
  std::size_t skip = 0;
  while (skip + 1 < bytes.size() && bytes[skip] == 0 && bytes[skip + 1] < 0x80)
    ++skip;
  return der_element(der::kInteger, ByteView(bytes).subspan(skip));
}

}  // namespace

std::string tss2_private_key_pem(std::uint32_t parent, ByteView public_area, ByteView private_area) {
  constexpr std::array<std::uint8_t, 1> kTrue = {0xff};
  const Bytes content = wire::Writer()
                            .bytes(der_element(der::kObjectIdentifier, kLoadableKey))
                            .bytes(der_element(der::context_constructed(0), der_element(der::kBoolean, kTrue)))
                            .bytes(der_handle(parent))
                            .bytes(der_element(der::kOctetString, public_area))
                            .bytes(der_element(der::kOctetString, private_area))
                            .take();
  const std::string base64 = to_base64(der_element(der::kSequence, content));
  std::string pem = "-----BEGIN TSS2 PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < base64.size(); at += kLineSize)
    pem.append(base64, at, kLineSize).append("\n");
  return pem.append("-----END TSS2 PRIVATE KEY-----\n");
}

}  // namespace warifu::tpm

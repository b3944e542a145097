#include "tpm_types/stored_certificate.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/der.h"
#include "wire/reader.h"

namespace warifu::tpm {
namespace {

constexpr std::uint16_t kStoredCertificateTag = 0x1001;
constexpr std::uint16_t kFullCertificateTag = 0x1002;
constexpr std::uint8_t kFullCertificate = 0;
constexpr std::size_t kHeaderSize = 7;

Error no_certificate(std::string message, std::size_t offset) {
  return invalid_input("tpm.ek-certificate", std::move(message), wire::place("certificate", offset));
}

bool is_padding(ByteView rest) {
  if (rest.empty()) return true;
  const std::uint8_t filler = rest.front();
  return (filler == 0x00 || filler == 0xFF) && std::ranges::all_of(rest, [&](auto byte) { return byte == filler; });
}

// What the header announces.
Result<ByteView> without_header(ByteView content) {
  wire::Reader reader(content);
  TRY_STATUS(reader.u16("tag"));
  TRY(const std::uint8_t type, reader.u8("certType"));
  TRY(const std::uint16_t size, reader.u16("certSize"));
  TRY(const std::uint16_t inner_tag, reader.u16("tag of the certificate"));
  if (type != kFullCertificate || inner_tag != kFullCertificateTag)
    return no_certificate(fmt::format("expected a full certificate (00, 1002), {:02x}, {:04x} came", type, inner_tag),
                          2);
  // The specification counts the inner tag; some wrote the size without it.
  if (size > content.size() - kHeaderSize + 2 || size <= 2)
    return no_certificate(fmt::format("the header announces {} bytes, {} are there", size, content.size() - 5), 3);
  return content.subspan(kHeaderSize);
}

}  // namespace

Result<StoredCertificate> stored_certificate(ByteView content) {
  StoredCertificate stored;
  ByteView rest = content;
  if (content.size() >= kHeaderSize && content[0] == kStoredCertificateTag >> 8 &&
      content[1] == (kStoredCertificateTag & 0xFF)) {
    TRY(rest, without_header(content));
    stored.has_header = true;
  }
  const std::size_t start = content.size() - rest.size();
  const auto certificate = wire::DerReader(rest, start).element(wire::der::kSequence, "certificate");
  if (!certificate) return no_certificate(certificate.error().message, start);
  if (certificate->content.empty()) return no_certificate("an empty SEQUENCE is no certificate", start);
  stored.der = certificate->whole;
  rest = rest.subspan(stored.der.size());
  stored.padding = rest.size();
  stored.odd_padding = !is_padding(rest);
  return stored;
}

std::vector<ByteView> stored_chain(ByteView content, std::size_t count_max) {
  std::vector<ByteView> chain;
  wire::DerReader reader(content);
  while (reader.next_is(wire::der::kSequence)) {
    const auto certificate = reader.element(wire::der::kSequence, "chain");
    if (!certificate || chain.size() == count_max) return {};
    chain.push_back(certificate->whole);
  }
  return chain;
}

}  // namespace warifu::tpm

#include "tpm_device/ek_certificate.h"

#include <fmt/format.h>

#include <algorithm>

#include "tpm_device/capability.h"
#include "tpm_device/nv.h"
#include "wire/reader.h"

namespace warifu::tpm_device {
namespace {

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint32_t kFirstIndex = 0x01C00000;
constexpr std::uint32_t kLastIndex = 0x01C07FFF;

Error no_certificate(std::string message) {
  return invalid_input("tpm.ek-certificate", std::move(message));
}

// X.690, 8.1.3: the short form, or one to four bytes that follow.
Result<std::size_t> der_length(wire::Reader& reader) {
  TRY(const std::uint8_t first, reader.u8("length"));
  if (first < 0x80) return first;
  const unsigned count = first & 0x7Fu;
  if (count == 0 || count > 4) return no_certificate(fmt::format("expected a length of 1 to 4 bytes, {} came", count));
  TRY(const ByteView bytes, reader.bytes(count, "length"));
  std::size_t length = 0;
  for (const std::uint8_t byte : bytes)
    length = length << 8 | byte;
  return length;
}

// An RSA modulus, or an ECC point as it stands in a SubjectPublicKeyInfo. Neither occurs in a certificate by chance.
Bytes key_bytes(const tpm::EkPublic& ek) {
  Bytes out = to_bytes(ek.area().unique());
  const ByteView y = ek.area().unique_y();
  out.insert(out.end(), y.begin(), y.end());
  return out;
}

bool holds(ByteView der, const Bytes& key) {
  return std::search(der.begin(), der.end(), key.begin(), key.end()) != der.end();
}

}  // namespace

Result<Bytes> trim_certificate(ByteView content) {
  wire::Reader reader(content);
  TRY(const std::uint8_t tag, reader.u8("SEQUENCE"));
  if (tag != kSequence) return no_certificate(fmt::format("expected a DER SEQUENCE, tag 0x{:02x} came", tag));
  TRY(const std::size_t length, der_length(reader));
  if (length == 0) return no_certificate("an empty SEQUENCE is no certificate");
  TRY_STATUS(reader.bytes(length, "certificate"));
  return to_bytes(content.first(reader.offset()));
}

Result<std::vector<EkCertificate>> read_ek_certificates(Device& device) {
  TRY(const auto indices, read_handles(device, kFirstIndex, kLastIndex));
  std::vector<EkCertificate> out;
  for (const tpm::EkProfileInfo& profile : tpm::ek_profiles()) {
    if (std::ranges::find(indices, profile.certificate_index) == indices.end()) continue;
    const auto content = read_nv(device, profile.certificate_index);
    // One that was defined and never written.
    if (!content && content.error().kind == ErrorKind::kNotFound) continue;
    if (!content) return content.error();
    auto der = trim_certificate(content->reveal());
    if (der) out.push_back({profile.profile, profile.certificate_index, *std::move(der)});
  }
  return out;
}

Result<std::optional<EkCertificate>> certificate_of(Device& device, const tpm::EkPublic& ek) {
  const Bytes key = key_bytes(ek);
  TRY(auto certificates, read_ek_certificates(device));
  for (EkCertificate& certificate : certificates) {
    if (holds(certificate.der, key)) return std::optional(std::move(certificate));
  }
  return std::optional<EkCertificate>();
}

}  // namespace warifu::tpm_device

#include "tpm_device/ek_certificate.h"

#include <algorithm>

#include "tpm_device/capability.h"
#include "tpm_device/nv.h"
#include "tpm_types/stored_certificate.h"

namespace warifu::tpm_device {
namespace {

constexpr std::uint32_t kFirstIndex = 0x01C00000;
constexpr std::uint32_t kLastIndex = 0x01C07FFF;

// An RSA modulus, or an ECC point as it stands in a SubjectPublicKeyInfo. Neither occurs in a certificate by chance.
Bytes key_bytes(const tpm::EkPublic& ek) {
  Bytes out = to_bytes(ek.area().unique());
  const ByteView y = ek.area().unique_y();
  out.insert(out.end(), y.begin(), y.end());
  return out;
}

constexpr std::uint32_t kFirstChainIndex = 0x01C00100;
constexpr std::uint32_t kLastChainIndex = 0x01C001FF;

bool holds(ByteView der, const Bytes& key) {
  return std::search(der.begin(), der.end(), key.begin(), key.end()) != der.end();
}

}  // namespace

Result<std::vector<EkCertificate>> read_ek_certificates(Device& device) {
  TRY(const auto indices, read_handles(device, kFirstIndex, kLastIndex));
  std::vector<EkCertificate> out;
  for (const tpm::EkProfileInfo& profile : tpm::ek_profiles()) {
    if (std::ranges::find(indices, profile.certificate_index) == indices.end()) continue;
    const auto content = read_nv(device, profile.certificate_index);
    // One that was defined and never written.
    if (!content && content.error().kind == ErrorKind::kNotFound) continue;
    if (!content) return content.error();
    const auto stored = tpm::stored_certificate(content->reveal());
    if (stored) out.push_back({profile.profile, profile.certificate_index, to_bytes(stored->der)});
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

Result<std::vector<Bytes>> read_ek_authorities(Device& device, std::size_t count_max, std::size_t size_max) {
  TRY(const auto indices, read_handles(device, kFirstChainIndex, kLastChainIndex));
  Bytes chain;
  for (const std::uint32_t index : indices) {
    const auto content = read_nv(device, index);
    if (!content && content.error().kind == ErrorKind::kNotFound) continue;
    if (!content) return content.error();
    const ByteView part = content->reveal();
    if (chain.size() + part.size() > size_max) return std::vector<Bytes>();
    chain.insert(chain.end(), part.begin(), part.end());
  }
  std::vector<Bytes> out;
  for (const ByteView certificate : tpm::stored_chain(chain, count_max))
    out.push_back(to_bytes(certificate));
  return out;
}

}  // namespace warifu::tpm_device

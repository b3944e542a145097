#include <fmt/format.h>

#include <algorithm>

#include "crypto/ec.h"
#include "crypto/rsa.h"
#include "tcb/device_certificates.h"
#include "tcb_protocol/limits.h"
#include "tpm_types/public_area.h"

namespace warifu::tcb {
namespace {

// RFC 5280 §4.2.1.12.
constexpr std::string_view kClientAuth = "1.3.6.1.5.5.7.3.2";
// The role whose key certifies devices; the root calls it "ORGANISATION endpoint-identity" and signs that
// (libs/pki/authority.cpp, certify_role).
constexpr std::string_view kRole = "endpoint-identity";

Error unfit(std::string_view code, std::string message) {
  return {ErrorKind::kRefused, code, std::move(message), "certificate"};
}

Result<std::vector<crypto::Certificate>> parse_chain(std::span<const Bytes> chain) {
  std::size_t total = 0;
  for (const Bytes& der : chain)
    total += der.size();
  if (chain.empty() || chain.size() > tcb_protocol::kDeviceChainMax || total > tcb_protocol::kDeviceChainBytesMax)
    return unfit("tcb.certificate.size",
                 fmt::format("expected 1 to {} certificates of at most {} bytes together, got {} of {}",
                             tcb_protocol::kDeviceChainMax, tcb_protocol::kDeviceChainBytesMax, chain.size(), total));
  std::vector<crypto::Certificate> parsed;
  for (const Bytes& der : chain) {
    TRY(auto certificate, crypto::Certificate::from_der(der));
    parsed.push_back(std::move(certificate));
  }
  return parsed;
}

// The root has other roles, whose keys may issue certificates too: those of servers name no device.
Status check_role(const std::vector<crypto::Certificate>& path, const crypto::Certificate& root) {
  const std::string expected = fmt::format("{} {}", root.organization(), kRole);
  if (path.size() < 2 || !path.front().issued_by(path[1]))
    return unfit("tcb.certificate.issuer", "expected the certificate of its issuer after it");
  const crypto::Certificate& role = path[1];
  if (!root.organization().empty() && role.common_name() == expected && role.organization() == root.organization())
    return {};
  return unfit("tcb.certificate.issuer", fmt::format("expected a certificate of the role \"{}\", \"{}\" issued it",
                                                     expected, role.common_name()));
}

Status check_key(const crypto::PublicKey& certified, ByteView tpm2b) {
  TRY(const auto area, tpm::PublicArea::from_tpm2b(tpm2b));
  const auto other = [] { return unfit("tcb.certificate.key", "the certificate is for another key than this TPM's"); };
  if (const auto* ecc = std::get_if<tpm::EccParameters>(&area.parameters())) {
    TRY(const auto ours, crypto::EcPublicKey::from_affine(ecc->curve, area.unique(), area.unique_y()));
    const auto theirs = crypto::ec_public_key(certified);
    return theirs && *theirs == ours ? Status() : other();
  }
  if (const auto* rsa = std::get_if<tpm::RsaParameters>(&area.parameters())) {
    constexpr std::uint32_t kDefaultExponent = 65'537;
    TRY(const auto ours,
        crypto::RsaPublicKey::from_modulus(area.unique(), rsa->exponent == 0 ? kDefaultExponent : rsa->exponent));
    const auto theirs = crypto::rsa_public_key(certified);
    return theirs && *theirs == ours ? Status() : other();
  }
  return other();
}

}  // namespace

Result<crypto::Certificate> check_device_certificate(std::span<const Bytes> chain, ByteView key, bool is_ldevid,
                                                     const DeviceCertificateDemands& demands) {
  TRY(auto path, parse_chain(chain));
  TRY_STATUS(crypto::verify_certificate_path(path, demands.root, crypto::ClientUse{}, demands.time));
  TRY_STATUS(check_role(path, demands.root));
  TRY(const auto certified, path.front().public_key());
  TRY_STATUS(check_key(certified, key));
  if (path.front().common_name() != demands.registration.text())
    return unfit("tcb.certificate.name", fmt::format("expected a certificate of \"{}\", this one is of \"{}\"",
                                                     demands.registration.text(), path.front().common_name()));
  const auto purposes = path.front().purposes();
  if (is_ldevid && std::ranges::find(purposes, kClientAuth) == purposes.end())
    return unfit("tcb.certificate.purpose", "expected a certificate for TLS clients");
  return std::move(path.front());
}

}  // namespace warifu::tcb

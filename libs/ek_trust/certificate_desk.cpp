#include "ek_trust/certificate_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"

namespace warifu::ek_trust {
namespace {

using endorsement::EkCertificate;

// `point` is uncompressed.
bool is_point_of(const crypto::EcPublicKey& key, ByteView point) {
  const std::size_t size = key.x().size();
  return point.size() == 1 + 2 * size && point[0] == 0x04 && std::ranges::equal(point.subspan(1, size), key.x()) &&
         std::ranges::equal(point.subspan(1 + size), key.y());
}

bool is_same_key(const tpm::AsymmetricKey& ek, const endorsement::SubjectKey& certified) {
  if (const auto* rsa = std::get_if<crypto::RsaPublicKey>(&ek)) {
    static const Bytes kExponent = {0x01, 0x00, 0x01};  // EkPublic takes no other
    const auto* other = std::get_if<endorsement::RsaSubjectKey>(&certified);
    return other != nullptr && other->exponent == kExponent && std::ranges::equal(rsa->modulus(), other->modulus);
  }
  const auto* other = std::get_if<endorsement::EcSubjectKey>(&certified);
  return other != nullptr && is_point_of(std::get<crypto::EcPublicKey>(ek), other->point);
}

}  // namespace

Result<CertifiedEk> CertifiedEk::make(const tpm::EkPublic& ek, EkCertificate certificate) {
  const auto& x509 = certificate.x509();
  if (x509.der().size() > kEkCertificateSizeMax)
    return invalid_input("ek_certificate.size", fmt::format("expected an EK certificate of at most {} bytes, {} came",
                                                            kEkCertificateSizeMax, x509.der().size()));
  if (!is_same_key(ek.protector().key, x509.key))
    return invalid_input("ek_certificate.key", "the certificate is of another key than the EK that it came with");
  TRY_STATUS(certificate.check_challenge());
  return CertifiedEk(to_bytes(ek.name().bytes()), std::move(certificate));
}

Result<bool> CertificateDesk::keep(Records& records, audit::Trail& trail, const Requester& who,
                                   const CertifiedEk& ek) const {
  const auto& x509 = ek.certificate().x509();
  const Bytes sha256 = sha256_of(x509.der());
  TRY(const auto before, records.find_ek_certificate(who.scope, ek.ek_name()));
  if (before && before->sha256 == sha256) return false;
  TRY_STATUS(records.put_ek_certificate({.scope = who.scope,
                                         .ek_name = to_bytes(ek.ek_name()),
                                         .sha256 = sha256,
                                         .issuer_sha256 = name_digest(x509.issuer),
                                         .der = to_bytes(x509.der()),
                                         .stored_at = clock_.now()}));
  TRY_STATUS(trail.record(who.scope, {who.actor, "ek-certificate.keep", fmt::format("ek:{}", to_hex(ek.ek_name())),
                                      fmt::format(R"({{"sha256":"{}"}})", to_hex(sha256))}));
  return true;
}

Result<EkCertificate> certificate_of(const StoredEkCertificate& stored) {
  auto certificate = EkCertificate::parse(stored.der);
  if (!certificate)
    return Error{ErrorKind::kInternal, "store.corrupt", certificate.error().message, "ek_certificates.certificate"};
  return certificate;
}

Result<std::optional<JudgedCertificate>> CertificateDesk::find(RecordsView& records, const ScopeId& scope,
                                                               ByteView ek_name) const {
  TRY(auto stored, records.find_ek_certificate(scope, ek_name));
  if (!stored) return std::optional<JudgedCertificate>();
  TRY(auto certificate, certificate_of(*stored));
  TRY(auto verdict, Judge(records, scope, clock_.now()).judge(certificate));
  return std::optional(JudgedCertificate{*std::move(stored), std::move(certificate), std::move(verdict)});
}

}  // namespace warifu::ek_trust

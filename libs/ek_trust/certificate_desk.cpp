#include "ek_trust/certificate_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"

namespace warifu::ek_trust {
namespace {

namespace json = boost::json;
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

StoredEkCertificate as_stored(const ScopeId& scope, const CertifiedEk& ek, Timestamp now) {
  const auto& x509 = ek.certificate().x509();
  return {.scope = scope,
          .ek_name = to_bytes(ek.ek_name()),
          .sha256 = sha256_of(x509.der()),
          .issuer_sha256 = name_digest(x509.issuer),
          .der = to_bytes(x509.der()),
          .stored_at = now};
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

Result<KeptCertificate> CertificateDesk::compare(RecordsView& records, const ScopeId& scope,
                                                 const CertifiedEk& ek) const {
  TRY(auto before, records.find_ek_certificate(scope, ek.ek_name()));
  if (!before) return KeptCertificate{.is_other = true};
  const bool is_other = before->sha256 != sha256_of(ek.certificate().x509().der());
  return KeptCertificate{.is_other = is_other, .before = std::move(before->sha256)};
}

Result<KeptCertificate> CertificateDesk::keep(Records& records, audit::Trail& trail, const Requester& who,
                                              const CertifiedEk& ek) const {
  TRY(auto kept, compare(records, who.scope, ek));
  if (!kept.is_other) return kept;
  const StoredEkCertificate stored = as_stored(who.scope, ek, clock_.now());
  TRY_STATUS(records.put_ek_certificate(stored));
  json::object detail{{"sha256", to_hex(stored.sha256)}};
  if (kept.before) detail["was_sha256"] = to_hex(*kept.before);
  TRY_STATUS(trail.record(who.scope, {who.actor, "ek-certificate.keep", fmt::format("ek:{}", to_hex(ek.ek_name())),
                                      json::serialize(detail)}));
  return kept;
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

Result<JudgedCertificate> CertificateDesk::judge(RecordsView& records, const ScopeId& scope,
                                                 const CertifiedEk& ek) const {
  StoredEkCertificate stored = as_stored(scope, ek, clock_.now());
  TRY(const auto there, records.find_ek_certificate(scope, ek.ek_name()));
  if (there && there->sha256 == stored.sha256) stored.stored_at = there->stored_at;
  TRY(auto verdict, Judge(records, scope, clock_.now()).judge(ek.certificate()));
  return JudgedCertificate{std::move(stored), ek.certificate(), std::move(verdict)};
}

}  // namespace warifu::ek_trust

#include "ek_trust/certificate_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"
#include "wire/der.h"

namespace warifu::ek_trust {
namespace {

namespace json = boost::json;
using endorsement::EkCertificate;
using endorsement::X509Certificate;

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

// DER says where it ends.
Bytes joined(const Intermediates& intermediates) {
  Bytes out;
  for (const X509Certificate& authority : intermediates)
    out.insert(out.end(), authority.der().begin(), authority.der().end());
  return out;
}

std::vector<Bytes> issuers_of(const Intermediates& intermediates) {
  std::vector<Bytes> digests;
  for (const X509Certificate& authority : intermediates)
    digests.push_back(name_digest(authority.issuer));
  return digests;
}

StoredEkCertificate as_stored(const ScopeId& scope, const CertifiedEk& ek, Timestamp now) {
  const auto& x509 = ek.certificate().x509();
  return {.scope = scope,
          .ek_name = to_bytes(ek.ek_name()),
          .sha256 = sha256_of(x509.der()),
          .issuer_sha256 = name_digest(x509.issuer),
          .der = to_bytes(x509.der()),
          .stored_at = now,
          .intermediates = joined(ek.intermediates()),
          .further_issuers_sha256 = issuers_of(ek.intermediates())};
}

// Name by name from the certificate on. What leads nowhere is left out, and so is what leads in a circle: one of each
// name, so that what was made up costs little to judge.
Intermediates ordered(const endorsement::Name& issuer, Intermediates came) {
  Intermediates line;
  const endorsement::Name* next = &issuer;
  for (;;) {
    const auto found = std::ranges::find(came, *next, &X509Certificate::subject);
    if (found == came.end() || std::ranges::find(line, *next, &X509Certificate::subject) != line.end()) return line;
    line.push_back(std::move(*found));
    came.erase(found);
    next = &line.back().issuer;
  }
}

Error corrupt(const Error& why, std::string_view column) {
  return {ErrorKind::kInternal, "store.corrupt", why.message, fmt::format("ek_certificates.{}", column)};
}

}  // namespace

Result<Intermediates> parse_intermediates(std::span<const Bytes> ders) {
  std::size_t size = 0;
  for (const Bytes& der : ders)
    size += der.size();
  if (ders.size() > kIntermediatesMax || size > kIntermediatesSizeMax)
    return invalid_input("ek_certificate.chain",
                         fmt::format("expected at most {} authorities of {} bytes together with an EK certificate, {} "
                                     "of {} bytes came",
                                     kIntermediatesMax, kIntermediatesSizeMax, ders.size(), size));
  Intermediates intermediates;
  for (const Bytes& der : ders) {
    TRY(auto authority, X509Certificate::parse(der));
    intermediates.push_back(std::move(authority));
  }
  return intermediates;
}

Result<CertifiedEk> CertifiedEk::make(const tpm::EkPublic& ek, EkCertificate certificate, Intermediates intermediates) {
  const auto& x509 = certificate.x509();
  if (x509.der().size() > kEkCertificateSizeMax)
    return invalid_input("ek_certificate.size", fmt::format("expected an EK certificate of at most {} bytes, {} came",
                                                            kEkCertificateSizeMax, x509.der().size()));
  if (!is_same_key(ek.protector().key, x509.key))
    return invalid_input("ek_certificate.key", "the certificate is of another key than the EK that it came with");
  TRY_STATUS(certificate.check_challenge());
  Intermediates line = ordered(x509.issuer, std::move(intermediates));
  return CertifiedEk(to_bytes(ek.name().bytes()), std::move(certificate), std::move(line));
}

Result<KeptCertificate> CertificateDesk::compare(RecordsView& records, const ScopeId& scope,
                                                 const CertifiedEk& ek) const {
  TRY(auto before, records.find_ek_certificate(scope, ek.ek_name()));
  if (!before) return KeptCertificate{.is_other = true};
  const bool is_other =
      before->sha256 != sha256_of(ek.certificate().x509().der()) || before->intermediates != joined(ek.intermediates());
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
  if (!certificate) return corrupt(certificate.error(), "certificate");
  return certificate;
}

Result<Intermediates> intermediates_of(const StoredEkCertificate& stored) {
  Intermediates intermediates;
  wire::DerReader reader(stored.intermediates);
  while (!reader.done()) {
    const auto element = reader.element(wire::der::kSequence, "intermediates");
    if (!element) return corrupt(element.error(), "intermediates");
    auto authority = X509Certificate::parse(element->whole);
    if (!authority) return corrupt(authority.error(), "intermediates");
    intermediates.push_back(*std::move(authority));
  }
  return intermediates;
}

Result<std::optional<JudgedCertificate>> CertificateDesk::find(RecordsView& records, const ScopeId& scope,
                                                               ByteView ek_name) const {
  TRY(auto stored, records.find_ek_certificate(scope, ek_name));
  if (!stored) return std::optional<JudgedCertificate>();
  TRY(auto certificate, certificate_of(*stored));
  TRY(auto intermediates, intermediates_of(*stored));
  TRY(auto verdict, Judge(records, scope, clock_.now()).judge(certificate, intermediates));
  return std::optional(
      JudgedCertificate{*std::move(stored), std::move(certificate), std::move(verdict), std::move(intermediates)});
}

Result<JudgedCertificate> CertificateDesk::judge(RecordsView& records, const ScopeId& scope,
                                                 const CertifiedEk& ek) const {
  StoredEkCertificate stored = as_stored(scope, ek, clock_.now());
  TRY(const auto there, records.find_ek_certificate(scope, ek.ek_name()));
  if (there && there->sha256 == stored.sha256) stored.stored_at = there->stored_at;
  TRY(auto verdict, Judge(records, scope, clock_.now()).judge(ek.certificate(), ek.intermediates()));
  return JudgedCertificate{std::move(stored), ek.certificate(), std::move(verdict), ek.intermediates()};
}

Result<EkVouchers> CertificateDesk::vouchers(RecordsView& records, const ScopeId& scope, const CertifiedEk& ek) const {
  EkVouchers vouchers;
  Judge judge(records, scope, clock_.now());
  TRY(vouchers.authorities, judge.authorities(ek.certificate(), ek.intermediates(), vouchers.refusal));
  return vouchers;
}

}  // namespace warifu::ek_trust

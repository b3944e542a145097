#include "endorsement/ek/x509.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "endorsement/ek/x509_error.h"
#include "wire/reader.h"

namespace warifu::endorsement {
namespace {

namespace der = wire::der;
using wire::DerElement;
using wire::DerReader;

// RFC 5755: an attribute certificate begins with its version and a holder, which is a SEQUENCE of [0], [1] or [2]; an
// X.509 certificate has an AlgorithmIdentifier there.
bool is_attribute_certificate(DerReader tbs) {
  if (!tbs.element(der::kInteger, "version")) return false;
  auto holder = tbs.enter(der::kSequence, "holder");
  return holder && (holder->next_is(der::context_constructed(0)) || holder->next_is(der::context_constructed(1)) ||
                    holder->next_is(der::context_constructed(2)));
}

Result<int> parse_version(DerReader& tbs) {
  if (!tbs.next_is(der::context_constructed(0))) return 1;
  TRY(DerReader tagged, tbs.enter(der::context_constructed(0), "version"));
  const std::size_t at = tagged.offset();
  TRY(const std::uint32_t version, tagged.small_integer("version"));
  TRY_STATUS(tagged.expect_done("version"));
  if (version > 2) return bad_form(fmt::format("expected version 1 to 3, {} came", version + 1ULL), "version", at);
  return static_cast<int>(version) + 1;
}

// issuerUniqueID and subjectUniqueID are passed over.
Status parse_tail(DerReader& tbs, X509Certificate& out) {
  for (const unsigned number : {1U, 2U})
    if (tbs.next_is(der::context(number))) TRY_STATUS(tbs.any("uniqueID"));
  if (tbs.next_is(der::context_constructed(3))) {
    TRY(DerReader tagged, tbs.enter(der::context_constructed(3), "extensions"));
    TRY(DerReader list, tagged.enter(der::kSequence, "extensions"));
    TRY_STATUS(tagged.expect_done("extensions"));
    TRY(out.extensions, parse_extensions(list));
  }
  return tbs.expect_done("tbsCertificate");
}

Status parse_validity(DerReader& tbs, X509Certificate& out) {
  TRY(DerReader validity, tbs.enter(der::kSequence, "validity"));
  TRY(const DerElement not_before, validity.any("validity.notBefore"));
  TRY(const DerElement not_after, validity.any("validity.notAfter"));
  TRY_STATUS(validity.expect_done("validity"));
  TRY(out.not_before, parse_time(not_before));
  TRY(out.not_after, parse_time(not_after));
  return {};
}

Result<SignatureAlgorithm> parse_tbs(DerReader tbs, X509Certificate& out) {
  TRY(out.version, parse_version(tbs));
  TRY(const ByteView serial, tbs.integer("serialNumber"));
  out.serial = to_bytes(serial);
  TRY(const DerElement algorithm, tbs.element(der::kSequence, "signature"));
  TRY(auto inner, parse_signature_algorithm(algorithm));
  TRY(const DerElement issuer, tbs.element(der::kSequence, "issuer"));
  TRY(out.issuer, Name::parse(issuer));
  TRY_STATUS(parse_validity(tbs, out));
  TRY(const DerElement subject, tbs.element(der::kSequence, "subject"));
  TRY(out.subject, Name::parse(subject));
  TRY(DerReader spki, tbs.enter(der::kSequence, "subjectPublicKeyInfo"));
  TRY(out.key, parse_subject_key(spki, out.key_algorithm));
  TRY_STATUS(parse_tail(tbs, out));
  return inner;
}

}  // namespace

Result<X509Certificate> X509Certificate::parse(ByteView input) {
  if (input.size() > kMaxCertificateSize)
    return bad_form(fmt::format("expected at most {} bytes, {} came", kMaxCertificateSize, input.size()), "certificate",
                    0);
  DerReader outer(input);
  TRY(DerReader parts, outer.enter(der::kSequence, "certificate"));
  TRY_STATUS(outer.expect_done("certificate"));
  TRY(const DerElement tbs, parts.element(der::kSequence, "tbsCertificate"));
  if (is_attribute_certificate(DerReader(tbs)))
    return invalid_input("endorsement.certificate.attribute-certificate",
                         "expected a public-key certificate, an attribute certificate came, as platform certificates "
                         "are: it holds no key",
                         wire::place("tbsCertificate", tbs.offset));
  X509Certificate out;
  out.der_ = to_bytes(input);
  out.tbs_offset_ = tbs.offset;
  out.tbs_size_ = tbs.whole.size();
  TRY(const SignatureAlgorithm inner, parse_tbs(DerReader(tbs), out));
  TRY(const DerElement algorithm, parts.element(der::kSequence, "signatureAlgorithm"));
  TRY(const SignatureAlgorithm named, parse_signature_algorithm(algorithm));
  // RFC 5280 §4.1.1.2: both are the same, parameters too. What is not signed may not choose how it is verified.
  out.signature_algorithm = inner.oid;
  if (inner.der == named.der) out.signature_scheme = inner.scheme;
  TRY(const ByteView signature, parts.whole_bytes("signatureValue"));
  out.signature = to_bytes(signature);
  TRY_STATUS(parts.expect_done("certificate"));
  return out;
}

std::string X509Certificate::fingerprint_sha256() const {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {der_}).bytes());
}

bool X509Certificate::signed_by(const X509Certificate& authority) const {
  if (!signature_scheme) return false;
  const auto key_of_issuer = issuer_key(authority.key);
  return key_of_issuer && key_of_issuer->verifies(*signature_scheme, tbs(), signature);
}

bool X509Certificate::has_der_violations() const {
  return !issuer.sets_are_ordered() || !subject.sets_are_ordered() || extensions.has_explicit_false ||
         !std::ranges::all_of(extensions.directory_names, &Name::sets_are_ordered);
}

std::optional<crypto::IssuerKey> issuer_key(const SubjectKey& key) {
  if (const auto* rsa = std::get_if<RsaSubjectKey>(&key)) {
    auto made = crypto::IssuerKey::from_rsa(rsa->modulus, rsa->exponent);
    if (made) return std::move(*made);
  }
  if (const auto* ec = std::get_if<EcSubjectKey>(&key)) {
    auto made = crypto::IssuerKey::from_point(ec->curve, ec->point);
    if (made) return std::move(*made);
  }
  return std::nullopt;
}

}  // namespace warifu::endorsement

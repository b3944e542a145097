#include <fmt/format.h>

#include <array>
#include <chrono>

#include "endorsement/ek/x509.h"
#include "endorsement/ek/x509_error.h"
#include "wire/reader.h"

// Algorithms, times and keys of certificates and CRLs.
namespace warifu::endorsement {
namespace {

namespace der = wire::der;
using crypto::HashAlgorithm;
using Scheme = crypto::IssuerSignature::Scheme;
using wire::DerElement;
using wire::DerReader;

struct SchemeRow {
  std::string_view oid;
  crypto::IssuerSignature how;
};
// MD2 and MD5 are not among them. SHA-1 is: TPMs of ten years ago have nothing better, and it is a finding.
constexpr std::array<SchemeRow, 7> kSchemes = {{
    {"1.2.840.113549.1.1.5", {Scheme::kRsaPkcs1, HashAlgorithm::kSha1, 0}},
    {"1.2.840.113549.1.1.11", {Scheme::kRsaPkcs1, HashAlgorithm::kSha256, 0}},
    {"1.2.840.113549.1.1.12", {Scheme::kRsaPkcs1, HashAlgorithm::kSha384, 0}},
    {"1.2.840.113549.1.1.13", {Scheme::kRsaPkcs1, HashAlgorithm::kSha512, 0}},
    {"1.2.840.10045.4.3.2", {Scheme::kEcdsa, HashAlgorithm::kSha256, 0}},
    {"1.2.840.10045.4.3.3", {Scheme::kEcdsa, HashAlgorithm::kSha384, 0}},
    {"1.2.840.10045.4.3.4", {Scheme::kEcdsa, HashAlgorithm::kSha512, 0}},
}};
constexpr std::string_view kRsaPss = "1.2.840.113549.1.1.10";
constexpr std::string_view kMgf1 = "1.2.840.113549.1.1.8";

constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr std::string_view kRsaesOaep = "1.2.840.113549.1.1.7";
constexpr std::string_view kEcPublicKey = "1.2.840.10045.2.1";

std::optional<HashAlgorithm> hash_of(std::string_view oid) {
  if (oid == "1.3.14.3.2.26") return HashAlgorithm::kSha1;
  if (oid == "2.16.840.1.101.3.4.2.1") return HashAlgorithm::kSha256;
  if (oid == "2.16.840.1.101.3.4.2.2") return HashAlgorithm::kSha384;
  if (oid == "2.16.840.1.101.3.4.2.3") return HashAlgorithm::kSha512;
  return std::nullopt;
}

Result<std::string> algorithm_oid(DerReader& algorithm) {
  TRY(const ByteView oid, algorithm.oid("algorithm"));
  return wire::oid_text(oid);
}

// RFC 4055 §3.1. What it leaves out is SHA-1 with a salt of 20 bytes. nullopt when it is well formed and not taken
// here.
Result<std::optional<crypto::IssuerSignature>> parse_pss(DerReader algorithm) {
  crypto::IssuerSignature how{Scheme::kRsaPss, HashAlgorithm::kSha1, 20};
  std::optional<HashAlgorithm> hash = HashAlgorithm::kSha1;
  std::optional<HashAlgorithm> mask_hash = HashAlgorithm::kSha1;
  TRY(DerReader fields, algorithm.enter(der::kSequence, "pss.parameters"));
  if (fields.next_is(der::context_constructed(0))) {
    TRY(DerReader tagged, fields.enter(der::context_constructed(0), "pss.hashAlgorithm"));
    TRY(DerReader inner, tagged.enter(der::kSequence, "pss.hashAlgorithm"));
    TRY(const std::string oid, algorithm_oid(inner));
    hash = hash_of(oid);
  }
  if (fields.next_is(der::context_constructed(1))) {
    TRY(DerReader tagged, fields.enter(der::context_constructed(1), "pss.maskGenAlgorithm"));
    TRY(DerReader inner, tagged.enter(der::kSequence, "pss.maskGenAlgorithm"));
    TRY(const std::string oid, algorithm_oid(inner));
    TRY(DerReader parameters, inner.enter(der::kSequence, "pss.maskGenAlgorithm"));
    TRY(const std::string mask_oid, algorithm_oid(parameters));
    mask_hash = oid == kMgf1 ? hash_of(mask_oid) : std::nullopt;
  }
  if (fields.next_is(der::context_constructed(2))) {
    TRY(DerReader tagged, fields.enter(der::context_constructed(2), "pss.saltLength"));
    TRY(how.salt_size, tagged.small_integer("pss.saltLength"));
  }
  if (!hash || hash != mask_hash) return std::optional<crypto::IssuerSignature>();
  how.hash = *hash;
  return std::optional(how);
}

Bytes without_leading_zeros(ByteView number) {
  while (!number.empty() && number.front() == 0)
    number = number.subspan(1);
  return to_bytes(number);
}

Result<SubjectKey> parse_rsa(ByteView bits, std::size_t offset, bool is_oaep) {
  DerReader outer(bits, offset);
  TRY(DerReader numbers, outer.enter(der::kSequence, "RSAPublicKey"));
  TRY(const ByteView modulus, numbers.integer("modulus"));
  TRY(const ByteView exponent, numbers.integer("publicExponent"));
  TRY_STATUS(numbers.expect_done("RSAPublicKey"));
  TRY_STATUS(outer.expect_done("subjectPublicKey"));
  if ((modulus.front() & 0x80) != 0 || (exponent.front() & 0x80) != 0)
    return bad_form("expected positive numbers, a negative one came", "RSAPublicKey", offset);
  RsaSubjectKey key{without_leading_zeros(modulus), without_leading_zeros(exponent), is_oaep};
  if (key.modulus.empty() || key.exponent.empty()) return bad_form("a number is zero", "RSAPublicKey", offset);
  return SubjectKey(std::move(key));
}

Result<SubjectKey> parse_ec(DerReader& algorithm, ByteView bits) {
  // Explicit parameters are a kind of their own that is not computed with: they are an attack (CVE-2020-0601).
  if (!algorithm.next_is(der::kObjectIdentifier))
    return SubjectKey(OtherSubjectKey{std::string(kEcPublicKey), "explicit"});
  TRY(const ByteView oid, algorithm.oid("namedCurve"));
  TRY(std::string curve, wire::oid_text(oid));
  std::size_t size = 0;
  EcSubjectKey key{crypto::NamedCurve::kP256, to_bytes(bits)};
  if (curve == "1.2.840.10045.3.1.7") {
    size = 32;
  } else if (curve == "1.3.132.0.34") {
    key.curve = crypto::NamedCurve::kP384;
    size = 48;
  } else if (curve == "1.3.132.0.35") {
    key.curve = crypto::NamedCurve::kP521;
    size = 66;
  }
  if (size == 0 || bits.size() != 1 + 2 * size || bits.front() != 0x04)
    return SubjectKey(OtherSubjectKey{std::string(kEcPublicKey), std::move(curve)});
  return SubjectKey(std::move(key));
}

std::optional<unsigned> digits(ByteView text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return value;
}

}  // namespace

Result<SignatureAlgorithm> parse_signature_algorithm(const DerElement& sequence) {
  DerReader algorithm(sequence);
  SignatureAlgorithm out;
  out.der = to_bytes(sequence.whole);
  TRY(out.oid, algorithm_oid(algorithm));
  for (const SchemeRow& row : kSchemes)
    if (row.oid == out.oid) out.scheme = row.how;
  if (out.oid == kRsaPss) {
    TRY(out.scheme, parse_pss(algorithm));
  }
  return out;
}

Result<Timestamp> parse_time(const DerElement& element) {
  const bool is_utc = element.tag == der::kUtcTime;
  const std::size_t year_size = is_utc ? 2 : 4;
  const ByteView text = element.content;
  if ((!is_utc && element.tag != der::kGeneralizedTime) || text.size() != year_size + 11 || text.back() != 'Z')
    return bad_form("expected a time in UTC with seconds and Z at its end", "time", element.offset);
  const auto year = digits(text, 0, year_size);
  std::array<std::optional<unsigned>, 5> part;
  for (std::size_t i = 0; i < part.size(); ++i)
    part[i] = digits(text, year_size + 2 * i, 2);
  if (!year || !part[0] || !part[1] || !part[2] || !part[3] || !part[4])
    return bad_form("expected digits in a time", "time", element.offset);
  const int full_year = static_cast<int>(!is_utc ? *year : *year < 50 ? 2000 + *year : 1900 + *year);
  const std::chrono::year_month_day day{std::chrono::year(full_year), std::chrono::month(*part[0]),
                                        std::chrono::day(*part[1])};
  if (!day.ok() || *part[2] > 23 || *part[3] > 59 || *part[4] > 60)
    return bad_form("expected a date and a time of day", "time", element.offset);
  return Timestamp(std::chrono::sys_days(day)) + std::chrono::hours(*part[2]) + std::chrono::minutes(*part[3]) +
         std::chrono::seconds(*part[4]);
}

Result<SubjectKey> parse_subject_key(DerReader spki, std::string& algorithm_text) {
  TRY(DerReader algorithm, spki.enter(der::kSequence, "subjectPublicKeyInfo.algorithm"));
  TRY(algorithm_text, algorithm_oid(algorithm));
  const std::size_t at = spki.offset();
  TRY(const DerElement bit_string, spki.element(der::kBitString, "subjectPublicKey"));
  TRY_STATUS(spki.expect_done("subjectPublicKeyInfo"));
  TRY(const ByteView bits, DerReader(bit_string.whole, at).whole_bytes("subjectPublicKey"));
  if (algorithm_text == kRsaEncryption || algorithm_text == kRsaesOaep)
    return parse_rsa(bits, bit_string.content_offset() + 1, algorithm_text == kRsaesOaep);
  if (algorithm_text == kEcPublicKey) return parse_ec(algorithm, bits);
  return SubjectKey(OtherSubjectKey{algorithm_text, {}});
}

}  // namespace warifu::endorsement

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/issuer_key.h"
#include "endorsement/ek/name.h"

// X.509 certificates of TPMs and of those who sign them, as they are found in the field. Our own reader: some have
// names that are no DER, and public keys that OpenSSL does not load.
namespace warifu::endorsement {

inline constexpr std::size_t kMaxCertificateSize = 64 * 1024;

struct RsaSubjectKey {
  Bytes modulus;  // big-endian, no leading zeros
  Bytes exponent;
  bool oaep = false;  // announced as id-RSAES-OAEP (RFC 4055 §4), which is an RSA key all the same
};
struct EcSubjectKey {
  crypto::NamedCurve curve;
  Bytes point;  // uncompressed
};
// A kind that nothing here computes with: another curve, SM2.
struct OtherSubjectKey {
  std::string algorithm;   // dotted decimals
  std::string parameters;  // those of an EC key: its curve
};
using SubjectKey = std::variant<RsaSubjectKey, EcSubjectKey, OtherSubjectKey>;

// Bits of keyUsage, as RFC 5280 §4.2.1.3 numbers them.
enum class KeyUsage : std::uint16_t {
  kDigitalSignature = 1 << 0,
  kKeyEncipherment = 1 << 2,
  kKeyAgreement = 1 << 4,
  kKeyCertSign = 1 << 5,
  kCrlSign = 1 << 6,
};

struct Extensions {
  std::optional<Bytes> subject_key_id;
  std::optional<Bytes> authority_key_id;  // its keyIdentifier
  bool has_basic_constraints = false;
  bool is_ca = false;
  std::optional<std::uint32_t> path_length;
  std::optional<std::uint16_t> key_usage;
  std::vector<std::string> extended_key_usage;  // dotted decimals
  std::vector<Name> directory_names;            // of subjectAltName
  bool subject_alt_name_is_critical = false;
  std::vector<std::string> issuer_urls;  // caIssuers of authorityInfoAccess
  std::vector<std::string> crl_urls;
  std::vector<std::string> unknown_critical;  // dotted decimals
  bool has_explicit_false = false;            // critical FALSE written out, which DER forbids

  bool may(KeyUsage usage) const { return key_usage && (*key_usage & static_cast<std::uint16_t>(usage)) != 0; }
};

// Parsed and not trusted.
class X509Certificate {
 public:
  // Exactly one certificate; nothing after it. Codes: "endorsement.certificate.form" with field and offset,
  // "endorsement.certificate.attribute-certificate" when it is one of RFC 5755, as platform certificates are,
  // "wire.*" for bytes that are no DER.
  static Result<X509Certificate> parse(ByteView der);

  ByteView der() const { return der_; }
  // What is signed, as it came.
  ByteView tbs() const { return ByteView(der_).subspan(tbs_offset_, tbs_size_); }

  int version = 1;
  Bytes serial;  // as it is encoded
  Name issuer;
  Name subject;
  Timestamp not_before;
  Timestamp not_after;
  std::string key_algorithm;  // dotted decimals
  SubjectKey key;
  Extensions extensions;
  std::string signature_algorithm;  // dotted decimals
  // nullopt when it is one that is not known here, or the two places that name it differ.
  std::optional<crypto::IssuerSignature> signature_scheme;
  Bytes signature;

  std::string fingerprint_sha256() const;  // hexadecimal
  bool is_self_issued() const { return issuer == subject; }
  // True when the key of `authority` made the signature. Says nothing about names, times and rights.
  bool signed_by(const X509Certificate& authority) const;
  // True when something in it is encoded as DER forbids.
  bool has_der_violations() const;

 private:
  X509Certificate() = default;

  Bytes der_;
  std::size_t tbs_offset_ = 0;
  std::size_t tbs_size_ = 0;
};

// AlgorithmIdentifier of a signature; nullopt for one that is not known here.
struct SignatureAlgorithm {
  std::string oid;
  std::optional<crypto::IssuerSignature> scheme;
  Bytes der;
};
Result<SignatureAlgorithm> parse_signature_algorithm(const wire::DerElement& sequence);
// UTCTime or GeneralizedTime in UTC with seconds (RFC 5280 §4.1.2.5).
Result<Timestamp> parse_time(const wire::DerElement& element);
// SubjectPublicKeyInfo; `algorithm` gets its OID.
Result<SubjectKey> parse_subject_key(wire::DerReader spki, std::string& algorithm);
// The content of [3].
Result<Extensions> parse_extensions(wire::DerReader list);
// nullopt for keys that nothing here computes with.
std::optional<crypto::IssuerKey> issuer_key(const SubjectKey& key);

}  // namespace warifu::endorsement

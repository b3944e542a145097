#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "endorsement/ek/vendor.h"
#include "endorsement/ek/x509.h"

// TCG EK Credential Profile for TPM Family 2.0, version 2.6.
namespace warifu::endorsement {

// What is remarkable about an EK certificate or its path, and no reason to refuse it by itself. Results show them.
enum class Finding : std::uint8_t {
  kPadding,             // filled up to the size of the NV index
  kOddPadding,          // something follows that is no padding
  kStoredCertHeader,    // TCG_PCCLIENT_STORED_CERT, of TPM 1.2
  kNotDer,              // names or defaults are not encoded as DER demands
  kOaepKey,             // its key is announced as id-RSAES-OAEP
  kSubject,             // the subject is not empty
  kAltNameNotCritical,  // the subject is empty and subjectAltName is not critical (RFC 5280 §4.2.1.6)
  kNoBasicConstraints,
  kNoKeyUsage,
  kSigningKey,     // keyUsage says that the key signs: it is no key that a challenge can be encrypted to
  kSha1Signature,  // a signature of the path is over SHA-1
  kTimeNotChecked,
  kRevocationUnknown,  // there is no CRL for an authority of the path
  kRevocationStale,    // the CRL's nextUpdate is over
};
// "padding", "not-der": stable, as JSON has it.
std::string_view to_string(Finding finding);

// The TPM attributes of subjectAltName (profile, 3.2.9). Not trusted before the path is.
struct TpmAttributes {
  std::string manufacturer;  // as it stands there, like "id:53544D20"
  std::string model;
  std::string version;
  std::optional<VendorId> vendor() const { return VendorId::parse(manufacturer); }
};

// Parsed and not trusted.
class EkCertificate {
 public:
  // The content of an NV index or of a file: DER with or without padding and header, or one certificate in PEM. Any
  // certificate with a public key is taken; whether it is one of an EK is for check_purpose(). Errors of
  // X509Certificate::parse() and tpm::stored_certificate(); "endorsement.pem".
  static Result<EkCertificate> parse(ByteView content);

  const X509Certificate& x509() const { return x509_; }
  const TpmAttributes& tpm() const { return tpm_; }
  const std::vector<Finding>& findings() const { return findings_; }
  std::size_t padding() const { return padding_; }
  bool names_ek_purpose() const;  // EKU 2.23.133.8.1

  // kRefused: "endorsement.ek.purpose" without that EKU, "endorsement.ek.authority" when it is a CA's,
  // "endorsement.ek.critical" when it has a critical extension that nothing here understands, "endorsement.ek.tpm"
  // without the TPM attributes, "endorsement.ek.roca" when the private key can be computed (CVE-2017-15361),
  // "endorsement.ek.key" for another key than RSA of 2048 to 8192 bits with an odd exponent from 3, or a point on
  // P-256, P-384 or P-521; "endorsement.ek.key-usage" when it is neither for challenges nor for signatures.
  Status check_purpose() const;
  // To be asked too by whoever challenges the EK, which check_purpose() does not demand of a Finding::kSigningKey.
  // kRefused: "endorsement.ek.key-usage" when keyUsage is there without keyEncipherment (RSA) or keyAgreement (EC).
  Status check_challenge() const;

 private:
  explicit EkCertificate(X509Certificate x509) : x509_(std::move(x509)) {}
  void find_oddities();

  X509Certificate x509_;
  TpmAttributes tpm_;
  std::vector<Finding> findings_;
  std::size_t padding_ = 0;
};

}  // namespace warifu::endorsement

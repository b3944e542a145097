#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/serial_number.h"
#include "crypto/signer.h"

struct x509_st;

namespace warifu::crypto {

// "Without an end", as RFC 5280 §4.1.2.5 has it: 9999-12-31T23:59:59Z. An IDevID is for its device's life
// (IEEE 802.1AR-2018 §8.7).
inline constexpr Timestamp kForLife =
    std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::hours{24} - std::chrono::seconds{1};

// The module that holds a key, by its maker's kind and number (RFC 4108 §5): in subjectAltName, as an otherName.
struct HardwareModule {
  std::string type;     // an OID in dotted decimals
  Bytes serial_number;  // 1 to 256 bytes

  friend bool operator==(const HardwareModule&, const HardwareModule&) = default;
};
// A TPM 2.0, whose number is its manufacturer, the key identifier of its EK certificate's issuer and that certificate's
// serial number as text with colons, or the digest of its EK (TCG, TPM 2.0 Keys for Device Identity and Attestation,
// §8).
inline constexpr std::string_view kTpm20Module = "2.23.133.1.2";

// What a new certificate says. Times are cut to seconds, which is what X.509 can say.
struct CertificateProfile {
  std::string common_name;        // may be empty where there is a serial number
  std::string organization = {};  // left out when empty
  // Of the device: the attribute of the subject that an IDevID has (IEEE 802.1AR-2018 §8). Left out when empty.
  std::string serial_number = {};
  Timestamp not_before;
  Timestamp not_after;
  bool is_ca = false;                             // keyCertSign and cRLSign instead of digitalSignature
  bool key_agreement = false;                     // leaves only: keyAgreement instead of digitalSignature
  std::optional<std::uint32_t> path_length = {};  // CAs only; without it unlimited
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};  // in text, IPv4 or IPv6
  bool server_auth = false;
  bool client_auth = false;
  bool ocsp_signing = false;                     // a responder whom the issuer delegates to (RFC 6960 §4.2.2.2) ...
  bool ocsp_no_check = false;                    // ... and whom nobody need ask about (§4.2.2.2.1)
  std::vector<std::string> other_purposes = {};  // more of extendedKeyUsage, as OIDs in dotted decimals
  std::optional<SerialNumber> serial = {};       // drawn when there is none
  std::optional<HardwareModule> hardware_module = {};
  std::vector<std::string> crl_urls = {};     // places of one and the same CRL
  std::vector<std::string> ocsp_urls = {};    // authorityInfoAccess
  std::vector<std::string> issuer_urls = {};  // authorityInfoAccess: where the issuer's certificate is
  std::vector<std::string> policies = {};     // certificatePolicies, as OIDs in dotted decimals
};

// An X.509 certificate as somebody wrote it: parsed, not yet trusted.
class Certificate {
 public:
  // Exactly one certificate, nothing after it. "crypto.certificate.form".
  static Result<Certificate> from_der(ByteView der);
  static Result<Certificate> from_pem(std::string_view pem);
  // One or more, in their order, as in a file of a chain.
  static Result<std::vector<Certificate>> chain_from_pem(std::string_view pem);

  Certificate(Certificate&&) noexcept = default;
  Certificate& operator=(Certificate&&) noexcept = default;
  Certificate clone() const;

  Bytes to_der() const;
  std::string to_pem() const;

  Timestamp not_before() const;
  Timestamp not_after() const;
  // RFC 4514, like "CN=node-1,O=Warifu".
  std::string subject() const;
  std::string issuer() const;
  // The subject's (last) CN; empty if there is none.
  std::string common_name() const;
  // The subject's one O and serialNumber, as UTF-8; empty if there is none or several.
  std::string organization() const;
  std::string serial_number() const;
  // The number's bytes, big-endian, as they are shown in hexadecimal.
  Bytes serial() const;
  Digest fingerprint_sha256() const;
  Digest fingerprint_sha1() const;  // Azure's "thumbprint": shown, never compared
  int version() const;              // 1 to 3
  bool is_ca() const;
  // From subjectAltName; addresses in text.
  std::vector<std::string> dns_names() const;
  std::vector<std::string> ip_addresses() const;
  // nullopt if there is none, or several.
  std::optional<HardwareModule> hardware_module() const;
  std::vector<std::string> crl_urls() const;
  std::vector<std::string> ocsp_urls() const;
  std::vector<std::string> issuer_urls() const;
  // extendedKeyUsage and certificatePolicies as OIDs in dotted decimals.
  std::vector<std::string> purposes() const;
  std::vector<std::string> policies() const;
  bool has_ocsp_no_check() const;
  Result<PublicKey> public_key() const;
  // SubjectPublicKeyInfo as it stands there, which may be another encoding of the key than PublicKey::spki() gives.
  Bytes public_key_info() const;
  // True when the names and key identifiers match, `issuer` may sign certificates by its keyUsage, and its key made the
  // signature. Says nothing about time, nor whether `issuer` is a CA.
  bool issued_by(const Certificate& issuer) const;

  // True when the issuer that this certificate names is `authority` by its subject. Nothing is verified.
  bool names_as_issuer(const Certificate& authority) const;

  x509_st* native() const { return certificate_.get(); }

 private:
  friend Result<Certificate> issue_certificate(const CertificateProfile&, const PublicKey&, const Certificate*,
                                               const Signer&, Entropy&);
  struct Free {
    void operator()(x509_st* certificate) const;
  };
  explicit Certificate(x509_st* certificate) : certificate_(certificate) {}

  std::unique_ptr<x509_st, Free> certificate_;
};

// RFC 5280: version 3, critical basicConstraints and keyUsage, subject and authority key identifiers; signed with ECDSA
// over the hash that fits the issuer's curve. `issuer` is nullptr for a self-signed certificate. Codes:
// "crypto.certificate.profile" when the profile cannot be written, "crypto.certificate.issuer" when `issuer_key` is not
// the issuer's (or, self-signed, not the subject's); those of the Signer.
Result<Certificate> issue_certificate(const CertificateProfile& profile, const PublicKey& subject_key,
                                      const Certificate* issuer, const Signer& issuer_key, Entropy& entropy);

}  // namespace warifu::crypto

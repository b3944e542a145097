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
#include "crypto/signer.h"

struct x509_st;

namespace warifu::crypto {

// What a new certificate says. Times are cut to seconds, which is what X.509 can say.
struct CertificateProfile {
  std::string common_name;
  std::string organization = {};  // left out when empty
  Timestamp not_before;
  Timestamp not_after;
  bool is_ca = false;                             // keyCertSign and cRLSign instead of digitalSignature
  bool key_agreement = false;                     // leaves only: keyAgreement instead of digitalSignature
  std::optional<std::uint32_t> path_length = {};  // CAs only; without it unlimited
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};  // in text, IPv4 or IPv6
  bool server_auth = false;
  bool client_auth = false;
  std::vector<std::string> other_purposes = {};  // more of extendedKeyUsage, as OIDs in dotted decimals
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
  // The number's bytes, big-endian, as they are shown in hexadecimal.
  Bytes serial() const;
  Digest fingerprint_sha256() const;
  Digest fingerprint_sha1() const;  // Azure's "thumbprint": shown, never compared
  int version() const;              // 1 to 3
  bool is_ca() const;
  // From subjectAltName; addresses in text.
  std::vector<std::string> dns_names() const;
  std::vector<std::string> ip_addresses() const;
  Result<PublicKey> public_key() const;
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

// RFC 5280: version 3, random positive serial of 16 bytes, critical basicConstraints and keyUsage, subject and
// authority key identifiers; signed with ECDSA over the hash that fits the issuer's curve. `issuer` is nullptr for a
// self-signed certificate. Codes: "crypto.certificate.profile" when the profile cannot be written,
// "crypto.certificate.issuer" when `issuer_key` is not the issuer's (or, self-signed, not the subject's); those of the
// Signer.
Result<Certificate> issue_certificate(const CertificateProfile& profile, const PublicKey& subject_key,
                                      const Certificate* issuer, const Signer& issuer_key, Entropy& entropy);

}  // namespace warifu::crypto

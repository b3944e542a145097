#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/public_key.h"
#include "crypto/requested_names.h"
#include "crypto/signer.h"

namespace warifu::crypto {

// What a request asks for. What the certificate will say is for its issuer to decide.
struct RequestProfile {
  std::string common_name;
  std::string organization = {};  // left out when empty
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};  // in text, IPv4 or IPv6
};

// A PKCS #10 request (RFC 2986) in DER, signed by the key that asks. Codes: "crypto.request.profile" when it cannot be
// written; those of the Signer.
Result<Bytes> make_certificate_request(const RequestProfile& profile, const Signer& key);

// A PKCS #10 request of somebody who holds the private key: its proof of possession was verified. Nothing else in it
// was, and what it asks for may be anything.
class CertificateRequest {
 public:
  // Above this nothing is parsed: the largest RSA key that is taken, with its signature, needs under 2 KiB.
  static constexpr std::size_t kMaxSize = 16 * 1024;

  // Exactly one request in DER, nothing after it. Codes: "crypto.request.form" for what is none or says a thing twice;
  // "crypto.key.spki" and "crypto.key.kind" as PublicKey, "crypto.request.key" for a key that is written as X.509 does
  // not want it; "crypto.request.weak" (kRefused) for a signature over anything but SHA-256, SHA-384 or SHA-512, and
  // for RSASSA-PSS; "crypto.request.proof" (kRefused) when that key did not sign it.
  static Result<CertificateRequest> from_der(ByteView der);
  // The same in base64, as EST has it (RFC 7030 §4.2, RFC 8951 §3.1): on one line or several, or in PEM's armour.
  static Result<CertificateRequest> from_text(std::string_view text);

  const RequestedNames& names() const { return names_; }
  // challengePassword (RFC 2985 §5.4.1), as UTF-8: what EST binds to its connection, or a secret. Empty if there is
  // none.
  const SecretBytes& challenge_password() const { return challenge_password_; }
  const PublicKey& public_key() const { return public_key_; }

 private:
  friend class RequestReader;
  explicit CertificateRequest(PublicKey key) : public_key_(std::move(key)) {}

  RequestedNames names_;
  SecretBytes challenge_password_;
  PublicKey public_key_;
};

}  // namespace warifu::crypto

#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/serial_number.h"

namespace warifu::crypto {

// Names a certificate by digests of its issuer's name and key, and its serial number (RFC 6960 §4.1.1). SHA-1 is what
// most clients use here: it only names.
struct OcspCertId {
  Digest issuer_name;
  Digest issuer_key;
  SerialNumber serial;

  friend bool operator==(const OcspCertId&, const OcspCertId&) = default;
};

// The issuer of the certificates that are asked about, by each hash that a client may name it with.
class OcspIssuer {
 public:
  explicit OcspIssuer(const Certificate& issuer);

  // SHA-1, SHA-256, SHA-384, SHA-512.
  OcspCertId id(HashAlgorithm hash, const SerialNumber& serial) const;
  bool is_issuer_of(const OcspCertId& id) const;

 private:
  struct Names {
    Digest name;
    Digest key;
  };
  const Names* names(HashAlgorithm hash) const;

  std::vector<Names> names_;
};

// A request (RFC 6960 §4.1, RFC 5019 §2.1) as it came: parsed. Who sends it, and whether it is signed, is passed over.
class OcspRequest {
 public:
  static constexpr std::size_t kMaxSize = 16 * 1024;
  static constexpr std::size_t kMaxIds = 32;
  static constexpr std::size_t kMaxNonceSize = 32;  // RFC 8954 §2.1

  // Exactly one request in DER, which comes as the body of a POST or as base64 in the path of a GET. Codes:
  // "crypto.ocsp.form" for what is none, asks about no certificate or more than kMaxIds, has a nonce that is not of 1
  // to 32 bytes, or a critical extension that we do not know: malformedRequest; "crypto.ocsp.hash" (kRefused) when it
  // names an issuer by another hash than those of OcspIssuer: unauthorized.
  static Result<OcspRequest> from_der(ByteView der);

  const std::vector<OcspCertId>& ids() const { return ids_; }
  // Empty if there is none. A response with it cannot have been signed before.
  ByteView nonce() const { return nonce_; }

 private:
  OcspRequest() = default;

  std::vector<OcspCertId> ids_;
  Bytes nonce_;
};

}  // namespace warifu::crypto

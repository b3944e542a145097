#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/ocsp_request.h"
#include "crypto/signer.h"

namespace warifu::crypto {

// Issued here, and not revoked.
struct OcspGood {};
// On hold, too: with kCertificateHold as its reason.
struct OcspRevoked {
  Timestamp at;
  RevocationReason reason = RevocationReason::kUnspecified;  // which is left out
};
// Nothing is known of it.
struct OcspUnknown {};
using OcspStatus = std::variant<OcspGood, OcspRevoked, OcspUnknown>;

// What is said of one certificate, and from when to when it holds. Times are cut to seconds, from 1970 to 9999.
struct OcspAnswer {
  OcspCertId id;
  OcspStatus status;
  Timestamp this_update;
  Timestamp next_update;
};

// Answers for one issuer, by whom that issuer delegates to (RFC 6960 §4.2.2.2).
class OcspResponder {
 public:
  // "crypto.ocsp.responder" when the certificate is not issued by `issuer` for OCSP signing, or the key is not its own.
  static Result<OcspResponder> of(const Certificate& issuer, const Certificate& responder, Signer key);

  const OcspIssuer& issuer() const { return issuer_; }
  // A whole OCSPResponse in DER: successful, with the responder's certificate, named by its key. Without a nonce it may
  // be signed beforehand and kept until its next update (RFC 5019 §2.2); then it has one answer, to an id by the one
  // hash that the client may ask with. `nonce` is the request's, echoed. "crypto.ocsp.response" when there is no answer
  // or more than OcspRequest::kMaxIds, a nonce is too long, times cannot be, or something is said of a certificate of
  // another issuer than that nothing is known; the errors of the Signer.
  Result<Bytes> response(std::span<const OcspAnswer> answers, ByteView nonce, Timestamp produced_at) const;

 private:
  OcspResponder(const Certificate& issuer, const Certificate& responder, Signer key)
      : issuer_(issuer), responder_(responder.clone()), key_(std::move(key)) {}

  Status check(std::span<const OcspAnswer> answers, ByteView nonce, Timestamp produced_at) const;

  OcspIssuer issuer_;
  Certificate responder_;
  Signer key_;
};

// RFC 6960 §4.2.1. Nobody signs them.
enum class OcspError : std::uint8_t {
  kMalformedRequest = 1,
  kInternalError = 2,
  kTryLater = 3,
  kSigRequired = 5,
  kUnauthorized = 6,  // also: not one of our issuers (RFC 5019 §2.2.3)
};
Bytes ocsp_error(OcspError error);

}  // namespace warifu::crypto

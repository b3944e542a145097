#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/cmp_message.h"
#include "crypto/crl.h"
#include "crypto/public_key.h"
#include "crypto/requested_names.h"
#include "crypto/serial_number.h"

namespace warifu::crypto {

// A certificate by its issuer's name and its number.
struct CmpCertificateId {
  Bytes issuer;  // a Name in DER
  SerialNumber serial;

  bool is_issued_by(const Certificate& authority) const;
  bool is(const Certificate& certificate) const;
};

// Somebody asks for a certificate and has the private key: the proof was verified. What it asks for may be anything.
struct CmpOrder {
  PublicKey key;
  RequestedNames names;
  std::optional<CmpCertificateId> renewed = {};  // the control oldCertID (RFC 4211 §6.5)
};

struct CmpRevocation {
  CmpCertificateId certificate;
  RevocationReason reason = RevocationReason::kUnspecified;
};

// What the client thinks of its certificate.
struct CmpConfirmation {
  bool accepted = false;
  Bytes hash;  // of the certificate; empty when all was rejected by saying nothing (RFC 4210 §5.3.18)
};

// A message whose protection was verified. What is asked for is read only here.
class CmpRequest {
 public:
  // "crypto.cmp.protection" (kRefused) when that secret did not make its MAC, or none is there; the errors of
  // CmpMessage::protection().
  static Result<CmpRequest> from_secret(const CmpMessage& message, const SecretBytes& secret);
  // The same for a signature. The header must name the signer as sender, and by its key identifier if it names one
  // (RFC 9483 §3.1); the key may sign by its keyUsage. Who the signer is was not looked at.
  static Result<CmpRequest> from_signer(const CmpMessage& message, const Certificate& signer);

  CmpBody body() const { return message_.body(); }

  // Of ir, cr, kur and p10cr: one request. Codes: "crypto.cmp.request" for several, or another number than 0;
  // "crypto.cmp.proof" (kRefused) for any other proof of possession than a signature over the request by its key, and
  // for one that is wrong; "crypto.cmp.template" for what cannot be asked for; those of requested_key() and, of p10cr,
  // of CertificateRequest.
  Result<CmpOrder> order() const;
  // Of rr: one certificate, by issuer and serial number. "crypto.cmp.request", "crypto.cmp.template".
  Result<CmpRevocation> revocation() const;
  // Of certConf, for the one certificate that was asked for with `asked`. "crypto.cmp.request".
  Result<CmpConfirmation> confirmation(CmpBody asked) const;
  // Of pollReq: it asks after the answer to `asked`. "crypto.cmp.request".
  Status check_poll(CmpBody asked) const;
  // Of genm: the infoTypes as OIDs in dotted decimals. "crypto.cmp.request" for more than kMaxInfos.
  Result<std::vector<std::string>> infos() const;

  static constexpr std::size_t kMaxInfos = 16;

 private:
  explicit CmpRequest(CmpMessage message) : message_(std::move(message)) {}

  CmpMessage message_;
};

// As certConf has it: over the hash that its signature is over (RFC 4210 §5.3.18).
Bytes cmp_certificate_hash(const Certificate& certificate);

// certReqId in answers: 0, and -1 for p10cr, which has none (RFC 9480 §2.13).
int cmp_request_id(CmpBody asked);

}  // namespace warifu::crypto

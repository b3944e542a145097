#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/cmp_message.h"
#include "crypto/cmp_request.h"
#include "crypto/signer.h"

namespace warifu::crypto {

// PKIFailureInfo (RFC 4210 Appendix F): the number of the bit.
enum class CmpFailure : std::uint8_t {
  kBadAlg = 0,
  kBadMessageCheck = 1,
  kBadRequest = 2,
  kBadTime = 3,
  kBadCertId = 4,
  kBadDataFormat = 5,
  kBadPop = 9,
  kCertConfirmed = 11,
  kWrongIntegrity = 12,
  kBadRecipientNonce = 13,
  kBadCertTemplate = 19,
  kSignerNotTrusted = 20,
  kTransactionIdInUse = 21,
  kUnsupportedVersion = 22,
  kNotAuthorized = 23,
  kSystemUnavail = 24,
  kSystemFailure = 25,
  kDuplicateCertReq = 26,
};

struct CmpAnswerHeader {
  int version = 2;
  Bytes sender;       // a Name in DER; empty: the name without parts
  Bytes recipient;    // the same
  Bytes transaction;  // left out when empty, as are the nonces
  Bytes sender_nonce;
  Bytes recipient_nonce;
  Timestamp time;  // cut to seconds
  bool implicit_confirm = false;
};

// Why not. The text is for whoever asked.
struct CmpRejection {
  CmpFailure failure = CmpFailure::kSystemFailure;
  std::string text;
};

struct CmpIssued {
  Certificate certificate;
  std::vector<Certificate> chain;  // goes into extraCerts
};
// Decided later: ask again (RFC 4210 §5.3.22).
struct CmpWaiting {};
// ip, cp or kup, whichever fits.
struct CmpCertificateAnswer {
  CmpBody asked;
  std::variant<CmpIssued, CmpWaiting, CmpRejection> decision;
};
struct CmpRevocationAnswer {
  std::optional<CmpRejection> rejection;
  CmpCertificateId certificate;
};
// genp: what is known of each infoType; one without a value is answered, and empty.
struct CmpInfo {
  std::string type;                       // an OID in dotted decimals
  std::vector<Certificate> certificates;  // the value: CACertsValue (RFC 9480 §2.14)
};
struct CmpInfoAnswer {
  std::vector<CmpInfo> infos;
};
struct CmpConfirmed {};
struct CmpPollAnswer {
  CmpBody asked;
  std::chrono::seconds check_after;
};
using CmpAnswerBody =
    std::variant<CmpCertificateAnswer, CmpRevocationAnswer, CmpInfoAnswer, CmpConfirmed, CmpPollAnswer, CmpRejection>;

struct CmpNoProtection {};
struct CmpSecret {
  const SecretBytes& secret;
  Bytes reference;
  CmpMac how;
};
struct CmpSigningKey {
  const Certificate& certificate;
  std::span<const Certificate> chain;  // follows the certificate in extraCerts
  const Signer& key;
};
using CmpAnswerProtection = std::variant<CmpNoProtection, CmpSecret, CmpSigningKey>;

// A PKIMessage in DER. "crypto.cmp.answer" for what cannot be written; the errors of the Signer.
Result<Bytes> cmp_answer(const CmpAnswerHeader& header, const CmpAnswerBody& body,
                         const CmpAnswerProtection& protection);

// The subject in DER, as headers have it.
Bytes cmp_name(const Certificate& certificate);

inline constexpr std::string_view kCmpCaCerts = "1.3.6.1.5.5.7.4.17";

}  // namespace warifu::crypto

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"

// Messages of the Certificate Management Protocol (RFC 4210, RFC 9480; the profile of RFC 9483) as they come to a CA.
// OpenSSL reads them and verifies their protection.
namespace warifu::crypto {

// What may be asked: the tags of PKIBody.
enum class CmpBody : std::uint8_t {
  kIr = 0,
  kCr = 2,
  kP10cr = 4,
  kKur = 7,
  kRr = 11,
  kGenm = 21,
  kError = 23,
  kCertConf = 24,
  kPollReq = 25,
};
// True for what asks for a certificate: ir, cr, p10cr, kur.
bool asks_for_certificate(CmpBody body);

struct CmpHeader {
  int version = 2;    // pvno
  Bytes sender;       // a Name in DER, which may be the empty one
  Bytes transaction;  // transactionID
  Bytes sender_nonce;
  Bytes recipient_nonce;          // empty if there is none
  Bytes sender_key;               // senderKID: the reference of a secret, or a key identifier; empty if there is none
  std::optional<Timestamp> time;  // messageTime
  bool implicit_confirm = false;
};

// How a MAC by a shared secret is made: PasswordBasedMac (RFC 4210 §5.1.3.1).
struct CmpMac {
  HashAlgorithm one_way = HashAlgorithm::kSha256;
  HashAlgorithm hmac = HashAlgorithm::kSha256;
  std::uint32_t iterations = 500;

  friend bool operator==(const CmpMac&, const CmpMac&) = default;
};
struct CmpSignature {};
using CmpProtection = std::variant<CmpMac, CmpSignature>;

// As it came: parsed, and nobody knows who wrote it.
class CmpMessage {
 public:
  // Above this nothing is parsed.
  static constexpr std::size_t kMaxSize = 32 * 1024;
  // OpenSSL's bound, too: what a MAC may cost.
  static constexpr std::uint32_t kMinIterations = 100;
  static constexpr std::uint32_t kMaxIterations = 100'000;
  static constexpr std::size_t kMaxSaltSize = 128;
  static constexpr std::size_t kMaxCertificates = 8;
  // Of transactionID and nonces: RFC 9483 §3.1 wants 16 random bytes.
  static constexpr std::size_t kMinIdSize = 16;
  static constexpr std::size_t kMaxIdSize = 32;

  // Exactly one PKIMessage in DER, nothing after it. Codes: "crypto.cmp.form"; "crypto.cmp.body" (kRefused) for one
  // that is no request, or is none that is served.
  static Result<CmpMessage> from_der(ByteView der);

  const CmpHeader& header() const;
  CmpBody body() const;
  // extraCerts. Of a signed message the first one is the signer's (RFC 9483 §3.3).
  const std::vector<Certificate>& certificates() const;

  // How it says that it is protected; nothing was computed yet. Codes, all kRefused: "crypto.cmp.unprotected";
  // "crypto.cmp.algorithm" for a MAC with other hashes than SHA-2 (HMAC-SHA1 is taken: openssl's default) or more work
  // than kMaxIterations, and for signatures by other than ECDSA and RSA PKCS #1 over SHA-2.
  Result<CmpProtection> protection() const;

 private:
  friend class CmpRequest;
  struct Parsed;
  explicit CmpMessage(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace warifu::crypto

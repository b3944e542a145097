#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/serial_number.h"
#include "crypto/signer.h"

// CRLs of version 2 (RFC 5280 §5), written in a stream: whoever signs one sees its entries pass by, a part at a time,
// and hashes the very bytes that whoever asks for the signature writes. A million entries need no buffer there.
namespace warifu::crypto {

// RFC 5280 §5.3.1.
enum class RevocationReason : std::uint8_t {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kCaCompromise = 2,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5,
  kCertificateHold = 6,
  kRemoveFromCrl = 8,  // of delta CRLs and requests: no longer on hold
  kPrivilegeWithdrawn = 9,
  kAaCompromise = 10,
};

// True for one of the numbers above: those of a request may be any.
bool is_revocation_reason(std::uint64_t number);

// A certificate on a CRL. The time is cut to seconds; from 1970 to 9999.
struct RevokedCertificate {
  SerialNumber serial;
  Timestamp revoked_at;
  RevocationReason reason = RevocationReason::kUnspecified;  // which is left out, as §5.3.1 wants it
};

// How much the entries are, which stands before them. Counted in a first pass over the same entries.
struct CrlSize {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;

  void add(std::span<const RevokedCertificate> entries);

  friend bool operator==(const CrlSize&, const CrlSize&) = default;
};

// All but the entries and the issuer. Times are cut to seconds.
struct CrlShape {
  std::uint64_t number = 0;  // cRLNumber: it grows with each list of an issuer
  Timestamp this_update;
  Timestamp next_update;
  CrlSize size;
};

// What a CRL's entries and extensions may fill, by which everything here stays far from the ends of its numbers.
inline constexpr std::uint64_t kMaxCrlBytes = std::uint64_t{1} << 30;

// The two streams: begun with issuer and shape, given all entries in the order that both sides keep (this code keeps
// none, and looks for no serial that comes twice), and finished. Both make the same bytes of the same input. The issuer
// is named by its subject and its subject key identifier. Codes: "crypto.crl.issuer" when its certificate may not sign
// CRLs, "crypto.crl.shape" when times, numbers and sizes cannot be, or more or less came than the shape says.
class CrlDigest {
 public:
  static Result<CrlDigest> begin(const Certificate& issuer, const CrlShape& shape);
  ~CrlDigest();
  CrlDigest(CrlDigest&&) noexcept;
  CrlDigest& operator=(CrlDigest&&) noexcept;

  Status add(std::span<const RevokedCertificate> entries);
  // Once: of the TBSCertList, by the hash that fits the issuer's key, for sign_digest().
  Result<Digest> finish();

 private:
  struct State;
  explicit CrlDigest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class CrlWriter {
 public:
  static Result<CrlWriter> begin(const Certificate& issuer, const CrlShape& shape);
  ~CrlWriter();
  CrlWriter(CrlWriter&&) noexcept;
  CrlWriter& operator=(CrlWriter&&) noexcept;

  Status add(std::span<const RevokedCertificate> entries);
  // Once, with the signature on what a CrlDigest of the same input says: the CRL in DER. "crypto.signature" when it is
  // not the issuer's signature on this list.
  Result<Bytes> finish(ByteView signature);

 private:
  struct State;
  explicit CrlWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// All of it at once, where the key is at hand and the entries are few: its size is counted here.
Result<Bytes> make_crl(const Certificate& issuer, std::uint64_t number, Timestamp this_update, Timestamp next_update,
                       std::span<const RevokedCertificate> entries, const Signer& issuer_key);

}  // namespace warifu::crypto

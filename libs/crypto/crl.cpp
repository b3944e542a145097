#include "crypto/crl.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/crl_encoding.h"
#include "crypto/der_value.h"
#include "crypto/digest_signature.h"
#include "crypto/digest_stream.h"
#include "crypto/signature_algorithm.h"

namespace warifu::crypto {
namespace {

bool can_stand(const RevokedCertificate& entry) {
  return entry.revoked_at >= Timestamp() && entry.revoked_at <= kForLife &&
         is_revocation_reason(static_cast<std::uint64_t>(entry.reason)) &&
         entry.reason != RevocationReason::kRemoveFromCrl;
}

// Counts the entries of a stream against its shape.
class EntryCount {
 public:
  explicit EntryCount(const CrlSize& expected) : expected_(expected) {}

  Status add(std::span<const RevokedCertificate> entries) {
    if (!std::ranges::all_of(entries, can_stand))
      return invalid_input("crypto.crl.shape", "expected revocations from 1970 to 9999 with a reason of whole CRLs");
    came_.add(entries);
    if (came_.entries <= expected_.entries && came_.bytes <= expected_.bytes) return {};
    return unexpected();
  }
  Status finish() const { return came_ == expected_ ? Status() : unexpected(); }

 private:
  Error unexpected() const {
    return invalid_input("crypto.crl.shape",
                         fmt::format("expected {} entries of {} bytes, {} of {} came", expected_.entries,
                                     expected_.bytes, came_.entries, came_.bytes));
  }

  CrlSize expected_;
  CrlSize came_;
};

}  // namespace

bool is_revocation_reason(std::uint64_t number) {
  return number <= 10 && number != 7;
}

void CrlSize::add(std::span<const RevokedCertificate> added) {
  entries += added.size();
  for (const RevokedCertificate& entry : added)
    bytes += crl_entry_size(entry);
}

struct CrlDigest::State {
  EntryCount count;
  Bytes after;
  DigestStream stream;
  Bytes piece;
};

CrlDigest::CrlDigest(std::unique_ptr<State> state) : state_(std::move(state)) {
}
CrlDigest::~CrlDigest() = default;
CrlDigest::CrlDigest(CrlDigest&&) noexcept = default;
CrlDigest& CrlDigest::operator=(CrlDigest&&) noexcept = default;

Result<CrlDigest> CrlDigest::begin(const Certificate& issuer, const CrlShape& shape) {
  TRY_STATUS(check_crl_issuer(issuer));
  TRY_STATUS(check_crl_shape(shape));
  CrlFrame frame = crl_frame(issuer, shape);
  auto state = std::make_unique<State>(
      State{EntryCount(shape.size), std::move(frame.after), DigestStream(signature_hash(issuer)), {}});
  state->stream.add(frame.before);
  return CrlDigest(std::move(state));
}

Status CrlDigest::add(std::span<const RevokedCertificate> entries) {
  TRY_STATUS(state_->count.add(entries));
  constexpr std::size_t kPieceSize = 16 * 1024;
  for (const RevokedCertificate& entry : entries) {
    append_crl_entry(entry, state_->piece);
    if (state_->piece.size() < kPieceSize) continue;
    state_->stream.add(state_->piece);
    state_->piece.clear();
  }
  return {};
}

Result<Digest> CrlDigest::finish() {
  TRY_STATUS(state_->count.finish());
  state_->stream.add(state_->piece);
  state_->stream.add(state_->after);
  return state_->stream.finish();
}

struct CrlWriter::State {
  Certificate issuer;
  EntryCount count;
  Bytes after;
  Bytes tbs;
};

CrlWriter::CrlWriter(std::unique_ptr<State> state) : state_(std::move(state)) {
}
CrlWriter::~CrlWriter() = default;
CrlWriter::CrlWriter(CrlWriter&&) noexcept = default;
CrlWriter& CrlWriter::operator=(CrlWriter&&) noexcept = default;

Result<CrlWriter> CrlWriter::begin(const Certificate& issuer, const CrlShape& shape) {
  TRY_STATUS(check_crl_issuer(issuer));
  TRY_STATUS(check_crl_shape(shape));
  CrlFrame frame = crl_frame(issuer, shape);
  const std::size_t whole = frame.before.size() + static_cast<std::size_t>(shape.size.bytes) + frame.after.size();
  auto state = std::make_unique<State>(
      State{issuer.clone(), EntryCount(shape.size), std::move(frame.after), std::move(frame.before)});
  state->tbs.reserve(whole);
  return CrlWriter(std::move(state));
}

Status CrlWriter::add(std::span<const RevokedCertificate> entries) {
  TRY_STATUS(state_->count.add(entries));
  for (const RevokedCertificate& entry : entries)
    append_crl_entry(entry, state_->tbs);
  return {};
}

Result<Bytes> CrlWriter::finish(ByteView signature) {
  TRY_STATUS(state_->count.finish());
  Bytes& tbs = state_->tbs;
  tbs.insert(tbs.end(), state_->after.begin(), state_->after.end());
  const HashAlgorithm hash = signature_hash(state_->issuer);
  TRY(const PublicKey key, state_->issuer.public_key());
  TRY_STATUS(verify_digest_signature(key, hash, digest(hash, {tbs}).bytes(), signature));
  return der_value(V_ASN1_SEQUENCE, {tbs, signature_algorithm(state_->issuer), der_bit_string(signature)});
}

Result<Bytes> make_crl(const Certificate& issuer, std::uint64_t number, Timestamp this_update, Timestamp next_update,
                       std::span<const RevokedCertificate> entries, const Signer& issuer_key) {
  CrlShape shape{.number = number, .this_update = this_update, .next_update = next_update, .size = {}};
  shape.size.add(entries);
  TRY(CrlDigest stream, CrlDigest::begin(issuer, shape));
  TRY_STATUS(stream.add(entries));
  TRY(const Digest digest, stream.finish());
  TRY(const Bytes signature, sign_digest(issuer_key, digest));
  TRY(CrlWriter writer, CrlWriter::begin(issuer, shape));
  TRY_STATUS(writer.add(entries));
  return writer.finish(signature);
}

}  // namespace warifu::crypto

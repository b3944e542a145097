#include "verifier/nonce.h"

#include "verifier/limits.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::verifier {
namespace {

constexpr std::size_t kHeadSize = 16;

std::string_view text_of(Nonces::Purpose purpose) {
  switch (purpose) {
    case Nonces::Purpose::kEvidence:
      return "warifu attestation nonce v1";
    case Nonces::Purpose::kKeyProof:
      return "warifu key proof nonce v1";
    case Nonces::Purpose::kApplicationKey:
      return "warifu application key nonce v1";
  }
  return {};
}

Error bad_nonce() {
  return {ErrorKind::kUnauthenticated, "attestation.nonce", "this nonce was not made for this device and AK", "nonce"};
}

}  // namespace

Nonces::Nonces(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key, Purpose purpose)
    : clock_(clock), entropy_(entropy), purpose_(text_of(purpose)), key_(derive_key(envelope_key, purpose_)) {
}

crypto::Digest Nonces::mac(const DeviceKey& device, ByteView ak_name, ByteView head) const {
  return crypto::hmac(crypto::HashAlgorithm::kSha256, key_.reveal(), {head, tie(purpose_, device), ak_name});
}

Bytes Nonces::make(const DeviceKey& device, ByteView ak_name) const {
  Bytes random(8);
  entropy_.fill(random);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
  const Bytes head =
      wire::Writer(kSize).u64(static_cast<std::uint64_t>(now.time_since_epoch().count())).bytes(random).take();
  return wire::Writer(kSize).bytes(head).bytes(mac(device, ak_name, head).bytes()).take();
}

Result<CheckedNonce> Nonces::check(const DeviceKey& device, ByteView ak_name, ByteView nonce) const {
  if (nonce.size() != kSize) return bad_nonce();
  const ByteView head = nonce.first(kHeadSize);
  if (!equal_constant_time(mac(device, ak_name, head).bytes(), nonce.subspan(kHeadSize))) return bad_nonce();
  TRY(const auto millis, wire::Reader(head).u64("nonce"));
  const Timestamp made_at(std::chrono::milliseconds(static_cast<std::int64_t>(millis)));
  const Timestamp now = clock_.now();
  if (made_at + kNonceLifetime < now || made_at > now + kClockSkewMax)
    return Error{ErrorKind::kUnauthenticated, "attestation.nonce-expired",
                 "the nonce is good for two minutes: ask for another one", "nonce"};
  return CheckedNonce{made_at, to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {nonce}).bytes())};
}

}  // namespace warifu::verifier

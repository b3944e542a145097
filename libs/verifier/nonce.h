#pragma once

#include <cstdint>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "verifier/device.h"

namespace warifu::verifier {

// A nonce that was made here for this device and AK, and when.
struct CheckedNonce {
  Timestamp made_at;
  Bytes extra_data;  // what the quote must hold: SHA-256 of the nonce
};

// Makes nonces that nobody needs to remember: 8 bytes of time (milliseconds), 8 of chance, and an HMAC-SHA256 over both
// and over whose it is. Safe to call from several threads.
class Nonces {
 public:
  static constexpr std::size_t kSize = 48;

  // What they are for: one for evidence is none for the proof of a key, nor for an acknowledgement.
  enum class Purpose : std::uint8_t { kEvidence, kKeyProof, kApplicationKey };

  Nonces(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key, Purpose purpose = Purpose::kEvidence);

  Bytes make(const DeviceKey& device, ByteView ak_name) const;
  // kUnauthenticated "attestation.nonce" (none of ours for this device and AK), "attestation.nonce-expired". That it is
  // used once only, the ledger says.
  Result<CheckedNonce> check(const DeviceKey& device, ByteView ak_name, ByteView nonce) const;

 private:
  crypto::Digest mac(const DeviceKey& device, ByteView ak_name, ByteView head) const;

  const Clock& clock_;
  Entropy& entropy_;
  const std::string_view purpose_;
  const SecretBytes key_;
};

}  // namespace warifu::verifier

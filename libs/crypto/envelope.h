#pragma once

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"

namespace warifu::crypto {

// A secret at rest under AES-256-GCM (NIST SP 800-38D): 01 | nonce (12) | ciphertext | tag (16). `associated_data` is
// not stored; it ties the envelope to its place (table, row, purpose), so that one cannot be put where another belongs.
// The nonce is random: at most 2^32 envelopes under one key.
inline constexpr std::size_t kEnvelopeKeySize = 32;
inline constexpr std::size_t kEnvelopeOverhead = 1 + 12 + 16;

Bytes seal_envelope(const SecretBytes& key, ByteView associated_data, ByteView plaintext, Entropy& entropy);

// "crypto.envelope.form" when it cannot be an envelope, "crypto.envelope.refused" when key, place or content differ.
Result<SecretBytes> open_envelope(const SecretBytes& key, ByteView associated_data, ByteView envelope);

}  // namespace warifu::crypto

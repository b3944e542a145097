#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace warifu::crypto {

// AES in full-block cipher feedback (NIST SP 800-38A §6.3, CFB128) with a zero IV, in place: what TPM 2.0 uses for
// everything that it protects (Part 1, "Symmetric Encryption"). The key has 16, 24 or 32 bytes. It does not
// authenticate, and a key may be used once only: the caller adds the HMAC.
void cfb_encrypt(ByteView key, std::span<std::uint8_t> data);
void cfb_decrypt(ByteView key, std::span<std::uint8_t> data);

}  // namespace warifu::crypto

#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace warifu::signing_keys {

// Argon2id (RFC 9106): what each guess of a passphrase costs. The second recommended option of §4.
struct Argon2idCost {
  std::uint32_t memory_kib = 64 * 1024;
  std::uint32_t passes = 3;
  std::uint32_t lanes = 4;

  friend bool operator==(const Argon2idCost&, const Argon2idCost&) = default;
};

// For a passphrase that is 32 random bytes: nobody guesses it, however cheap a guess is.
inline constexpr Argon2idCost kNoStretching{.memory_kib = 1024, .passes = 1, .lanes = 1};

inline constexpr std::size_t kArgon2idSaltSize = 16;

// kInvalidInput "argon2id.cost" above 1 GiB, 16 passes or 16 lanes, or below what the RFC allows: a file may not make
// its reader work for hours. kUnavailable "argon2id.memory", "argon2id.threads".
Result<SecretBytes> argon2id(const SecretBytes& passphrase, ByteView salt, const Argon2idCost& cost, std::size_t size);

}  // namespace warifu::signing_keys

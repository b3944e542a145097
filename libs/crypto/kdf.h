#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace warifu::crypto {

// RFC 5869 with SHA-256: one key from another, for the purpose that `info` names. At most 255 * 32 bytes.
SecretBytes hkdf_sha256(const SecretBytes& key, ByteView salt, ByteView info, std::size_t size);

// How much work a guess at a passphrase costs (RFC 7914): memory is 128 * n * r bytes.
struct ScryptCost {
  std::uint64_t n = std::uint64_t{1} << 17;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
};

// "crypto.scrypt" when the costs, which may come from a file, are not possible or need more than 256 MiB.
Result<SecretBytes> scrypt(const SecretBytes& passphrase, ByteView salt, ScryptCost cost, std::size_t size);

}  // namespace warifu::crypto

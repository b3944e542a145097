#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace warifu::crypto {

// RFC 8017 §B.2.1, added onto `target`. Only .cpp files of this library include this.
void mask_with_mgf1(HashAlgorithm hash, ByteView seed, std::span<std::uint8_t> target);

}  // namespace warifu::crypto

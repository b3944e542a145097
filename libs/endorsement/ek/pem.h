#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::endorsement {

// What stands between BEGIN and END (RFC 7468), decoded.
struct PemBlock {
  std::string label;  // "CERTIFICATE"
  Bytes content;
};

inline constexpr std::size_t kMaxPemBlocks = 20'000;

// All blocks in their order; text around them, as bundles have it, is passed over. "endorsement.pem" with the offset
// when a block has no end, is no base64, or there are more than kMaxPemBlocks.
Result<std::vector<PemBlock>> pem_blocks(std::string_view text);

// True when a block begins somewhere in it: a file that is PEM and not DER.
bool looks_like_pem(ByteView content);

}  // namespace warifu::endorsement

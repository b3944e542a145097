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

// All blocks in their order; text around them, as bundles have it, is passed over. BEGIN and END stand alone in their
// lines (RFC 7468 §3). "endorsement.pem" with the offset when a block has no end, is no base64, or there are more than
// kMaxPemBlocks.
Result<std::vector<PemBlock>> pem_blocks(std::string_view text);

// True for text in which a line begins a block. DER is never text, whatever words stand in it: every structure that is
// read here has bytes that no text has.
bool looks_like_pem(ByteView content);

}  // namespace warifu::endorsement

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::tcb {

// The state file "trust-bundle". Nothing in it is believed by itself: the anchor in the TPM says which envelope counts.
struct BundleRecord {
  static constexpr std::string_view kFile = "trust-bundle";
  static constexpr std::size_t kEnvelopesMax = 2;

  // No server is believed with an older bundle: it was believed once, and the TPM has forgotten it.
  std::uint64_t at_least = 0;
  std::vector<Bytes> envelopes;  // JSON: the one that is believed, and the one that is to come after it
};

Bytes write_bundle(const BundleRecord& record);
// "tcb.state.form" and the codes of wire::Reader.
Result<BundleRecord> parse_bundle(ByteView content);

}  // namespace warifu::tcb

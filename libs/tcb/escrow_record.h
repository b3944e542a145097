#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::tcb {

// The state file "escrow".
struct EscrowRecord {
  static constexpr std::string_view kFile = "escrow";

  Bytes package;  // CMS, DER
  // SHA-256 of the SRK's TPM2B_PUBLIC when the package was made. TPM2_Clear makes another SRK: then the package is of a
  // former ownership.
  Bytes srk_digest;
  bool delivered;
};

Bytes write_escrow(const EscrowRecord& record);
// "tcb.state.form" and the codes of wire::Reader.
Result<EscrowRecord> parse_escrow(ByteView content);

}  // namespace warifu::tcb

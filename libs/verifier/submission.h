#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "attestation/appraisal/null_primary.h"
#include "base/bytes.h"
#include "base/result.h"
#include "measured_boot/registers.h"

namespace warifu::verifier {

using attestation::NullPrimary;

struct ImaPart {
  std::uint64_t offset = 0;  // where in the list it begins
  Bytes content;
};

// Evidence as a device sends it (docs/protocols/attestation.md, step 4). Nothing of it is proved.
struct Submission {
  Bytes nonce;
  Bytes quote;      // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
  measured_boot::RegisterValues registers;
  std::string boot_id;             // empty: it told none
  Bytes event_log_sha256;          // empty: there is none
  std::optional<Bytes> event_log;  // nullopt: it is told by its digest alone
  std::optional<Bytes> userspace_log;
  std::optional<ImaPart> ima;
  std::optional<NullPrimary> null_primary;
};

// kInvalidInput with the path: the codes of wire::parse_json() and JsonFields, those of parse_register_values(),
// "evidence.hash" (no SHA-256 in hexadecimal, or that of another log), "evidence.boot-id", "evidence.null-name".
Result<Submission> parse_submission(std::string_view json);
// At most 64 printable ASCII characters.
Status check_boot_id(std::string_view text);

}  // namespace warifu::verifier

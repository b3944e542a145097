#pragma once

#include <optional>
#include <vector>

#include "attestation/appraisal/allowances.h"
#include "attestation/appraisal/policy_file.h"
#include "attestation/quote/quote.h"
#include "base/bytes.h"
#include "measured_boot/registers.h"
#include "warifu/quote_commands.h"

namespace warifu::cli {

// All that was read of the files of `quote verify`.
struct QuoteEvidence {
  Bytes ak;
  Bytes message;
  Bytes signature;
  std::optional<Bytes> nonce;
  std::optional<measured_boot::RegisterValues> claimed;
  std::optional<Bytes> event_log;
  std::optional<Bytes> userspace_log;
  std::optional<Bytes> ima_list;
  std::vector<attestation::RegisterPlace> required;  // those of the policy among them
  std::optional<attestation::EvidencePolicy> policy;
  std::optional<endorsement::FirmwareQuirks> waivers;
};

// kRefused "endorsement.data.signature" for waivers that the key did not sign; else kInvalidInput.
Result<QuoteEvidence> read_quote_evidence(const QuoteOptions& options);

}  // namespace warifu::cli

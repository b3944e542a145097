#pragma once

#include <optional>
#include <vector>

#include "attestation/appraisal/allowances.h"
#include "attestation/appraisal/evidence.h"
#include "attestation/appraisal/policy_file.h"
#include "base/bytes.h"
#include "warifu/quote_commands.h"

namespace warifu::cli {

// All that was read of the files of `quote verify`.
struct QuoteEvidence {
  Bytes ak;
  std::optional<Bytes> nonce;
  attestation::Evidence shown;
  std::vector<attestation::RegisterPlace> required;  // those of the policy among them
  std::optional<attestation::EvidencePolicy> policy;
  std::optional<endorsement::FirmwareQuirks> waivers;
};

// kRefused "endorsement.data.signature" for waivers that the key did not sign; else kInvalidInput.
Result<QuoteEvidence> read_quote_evidence(const QuoteOptions& options);

}  // namespace warifu::cli

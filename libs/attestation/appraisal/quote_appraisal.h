#pragma once

#include <optional>

#include "attestation/appraisal/result.h"
#include "attestation/quote/progress.h"
#include "attestation/quote/quote.h"

namespace warifu::attestation {

// A nonce below this can be guessed or met again.
inline constexpr std::size_t kNonceSizeMin = 16;

// What a verified quote itself says: of identity, freshness and hardware.
void appraise_quote(const VerifiedQuote& quote, AttestationResult& result);
// What its proved registers say: of the boot and runtime layers, before any log.
void appraise_registers(const ProvedRegisters& registers, AttestationResult& result);
// What changed since an earlier quote of the same AK (Q9, Q10).
void appraise_progress(const Progress& progress, AttestationResult& result);
// What did not hold, as a finding in its layer.
void add_refusal(const Error& error, AttestationResult& result);

}  // namespace warifu::attestation

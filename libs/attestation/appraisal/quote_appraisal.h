#pragma once

#include <optional>
#include <span>

#include "attestation/appraisal/result.h"
#include "attestation/quote/progress.h"
#include "attestation/quote/quote.h"

namespace warifu::attestation {

// A nonce below this can be guessed or met again.
inline constexpr std::size_t kNonceSizeMin = 16;

// Of an AK that came without its public area nobody knows whether it is restricted and of a TPM: any program that holds
// such a key can sign what looks like a quote. kTold: whoever gave the key vouches for it.
enum class BareKeyUse : std::uint8_t { kRefused, kTold };

// What a verified quote itself says: of identity and freshness. A bare key never affirms: it contradicts the
// identity layer ("ak.attributes-unknown"), or warns where it is told to be a TPM's.
void appraise_quote(const VerifiedQuote& quote, AttestationResult& result, BareKeyUse bare = BareKeyUse::kRefused);
// What its proved registers say: of the boot and runtime layers, before any log. `has_policy`: something will be held
// against them.
void appraise_registers(const ProvedRegisters& registers, AttestationResult& result, bool has_policy = false);
// Each register that is required and that the quote does not select contradicts the boot layer (Q8).
void appraise_required(const ProvedRegisters& registers, std::span<const RegisterPlace> required,
                       AttestationResult& result);
// What changed since an earlier quote of the same AK (Q9, Q10).
void appraise_progress(const Progress& progress, AttestationResult& result);
// What did not hold, as a finding in its layer.
void add_refusal(const Error& error, AttestationResult& result);

}  // namespace warifu::attestation

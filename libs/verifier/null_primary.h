#pragma once

#include "attestation/quote/quote.h"
#include "tpm_types/name.h"
#include "verifier/submission.h"

namespace warifu::verifier {

// The Name of the NULL hierarchy's primary, as the AK certified it with the quote. kRefused
// "attestation.null-primary": certified over something else, in another boot, another key than the one that came, or
// no ECC P-256 storage primary of the NULL hierarchy. kInvalidInput: the codes of tpm::CertifyAttest, Signature and
// PublicArea.
Result<tpm::Name> check_null_primary(const NullPrimary& primary, const attestation::VerifiedQuote& quote);

}  // namespace warifu::verifier

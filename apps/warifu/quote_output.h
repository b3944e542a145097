#pragma once

#include "attestation/appraisal/result.h"
#include "attestation/quote/quote.h"

// How attestation results and what they rest on are printed (docs/programs/warifu.md).
namespace warifu::cli {

void print_result(const attestation::AttestationResult& result);
void print_quote(const attestation::VerifiedQuote& quote);

}  // namespace warifu::cli

#pragma once

#include <boost/json/object.hpp>

#include "attestation/appraisal/result.h"
#include "attestation/quote/quote.h"

// How attestation results and what they rest on are printed (docs/programs/warifu.md).
namespace warifu::cli {

boost::json::object result_to_json(const attestation::AttestationResult& result);
boost::json::object quote_to_json(const attestation::VerifiedQuote& quote);
void print_result(const attestation::AttestationResult& result);
void print_quote(const attestation::VerifiedQuote& quote);

}  // namespace warifu::cli

#pragma once

#include <boost/json/object.hpp>

#include "attestation/appraisal/result.h"
#include "attestation/quote/quote.h"

// Attestation results and the quote that they rest on as JSON (docs/programs/warifu.md, `quote verify`).
namespace warifu::attestation {

// What a stranger named and is no UTF-8 is marked as such (wire/utf8.h).
boost::json::object to_json(const Finding& finding);
// {"overall", "layers": {"identity": …}}: what may be told to the device itself.
boost::json::object layers_json(const AttestationResult& result);
// The same with "findings".
boost::json::object to_json(const AttestationResult& result);
boost::json::object to_json(const VerifiedQuote& quote);

// "rsassa", "rsapss", "ecdsa"
std::string_view scheme_name(tpm::AlgorithmId id);
// Of a bank that we do not know its number, "0x0027".
std::string bank_name(const tpm::PcrSelection& selection);

}  // namespace warifu::attestation

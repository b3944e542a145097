#pragma once

#include <string>

#include "warifu/quote_commands.h"

// Evidence that the server judges for a relying party (docs/protocols/attestation-results.md): no enrollment is needed.
namespace warifu::cli {

struct VerificationOptions {
  QuoteOptions evidence;
  std::string audience;   // whom the token is for
  std::string eat_nonce;  // the relying party's, base64url; empty: none
};
// Prints the result and the token, as `quote verify` does without a server. kRefused "attestation.contraindicated".
Status verify_on_server(const Context& context, const VerificationOptions& options);

}  // namespace warifu::cli

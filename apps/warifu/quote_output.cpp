#include "warifu/quote_output.h"

#include <fmt/format.h>

#include "attestation/appraisal/result_json.h"
#include "attestation/appraisal/result_text.h"

namespace warifu::cli {

using namespace attestation;

void print_result(const AttestationResult& result) {
  fmt::print("{}", to_text(result));
}

void print_quote(const VerifiedQuote& quote) {
  const auto& attest = quote.attest();
  fmt::print("signature       {} {}\n", scheme_name(quote.scheme().id), measured_boot::bank_name(quote.hash()));
  fmt::print("nonce           {}\n", to_hex(attest.extra_data));
  fmt::print("clock           {} ms, {} resets, {} restarts, {}\n", attest.clock.clock_ms, attest.clock.reset_count,
             attest.clock.restart_count, attest.clock.safe ? "safe" : "not safe");
  fmt::print("firmware        {:016x}\n", attest.firmware_version);
  for (const auto& selection : attest.selections) {
    fmt::print("registers       {}", bank_name(selection));
    for (std::uint32_t index = 0; index < 32; ++index)
      if (selection.has(index)) fmt::print(" {}", index);
    fmt::print("\n");
  }
  fmt::print("digest          {}\n", to_hex(attest.pcr_digest));
}

}  // namespace warifu::cli

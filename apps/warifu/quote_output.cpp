#include "warifu/quote_output.h"

#include <fmt/format.h>

#include "attestation/appraisal/result_json.h"

namespace warifu::cli {

using namespace attestation;

void print_result(const AttestationResult& result) {
  fmt::print("overall         {}\n", to_string(result.overall()));
  for (const Layer layer : kLayers)
    fmt::print("  {:<13} {}\n", to_string(layer), to_string(result.of(layer)));
  for (const Finding& finding : result.findings()) {
    fmt::print("{} [{}, {}]: {}", to_string(finding.layer), to_string(finding.tier), finding.code, finding.what);
    if (!finding.where.empty()) fmt::print(" (at {})", finding.where);
    if (!finding.expected.empty()) fmt::print("; expected {}", finding.expected);
    if (!finding.came.empty()) fmt::print("; {} came", finding.came);
    if (!finding.allowed_by.empty()) fmt::print("; allowed by {}", finding.allowed_by);
    fmt::print("\n");
  }
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

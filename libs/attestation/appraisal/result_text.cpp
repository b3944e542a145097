#include "attestation/appraisal/result_text.h"

#include <fmt/format.h>

#include <iterator>

namespace warifu::attestation {

std::string to_text(const AttestationResult& result) {
  std::string text = fmt::format("overall         {}\n", to_string(result.overall()));
  const auto out = std::back_inserter(text);
  for (const Layer layer : kLayers)
    fmt::format_to(out, "  {:<13} {}\n", to_string(layer), to_string(result.of(layer)));
  for (const Finding& finding : result.findings()) {
    fmt::format_to(out, "{} [{}, {}]: {}", to_string(finding.layer), to_string(finding.tier), finding.code,
                   finding.what);
    if (!finding.where.empty()) fmt::format_to(out, " (at {})", finding.where);
    if (!finding.expected.empty()) fmt::format_to(out, "; expected {}", finding.expected);
    if (!finding.came.empty()) fmt::format_to(out, "; {} came", finding.came);
    if (!finding.allowed_by.empty()) fmt::format_to(out, "; allowed by {}", finding.allowed_by);
    text.push_back('\n');
  }
  return text;
}

}  // namespace warifu::attestation

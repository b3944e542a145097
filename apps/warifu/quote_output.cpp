#include "warifu/quote_output.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace attestation;

std::string_view scheme_name(tpm::AlgorithmId id) {
  switch (id) {
    case tpm::AlgorithmId::kRsaSsa:
      return "rsassa";
    case tpm::AlgorithmId::kRsaPss:
      return "rsapss";
    default:
      return "ecdsa";
  }
}

std::string bank_of(const tpm::PcrSelection& selection) {
  if (selection.bank) return std::string(measured_boot::bank_name(*selection.bank));
  return fmt::format("{:#06x}", selection.bank_id);
}

json::array to_json(const tpm::PcrSelections& selections) {
  json::array all;
  for (const auto& selection : selections) {
    json::array indices;
    for (std::uint32_t index = 0; index < 32; ++index)
      if (selection.has(index)) indices.push_back(index);
    all.push_back(json::array{bank_of(selection), std::move(indices)});
  }
  return all;
}

json::object ak_to_json(const AkPublic& ak) {
  json::object object{{"type", ak.is_rsa() ? "rsa" : "ecc"}, {"bits", ak.key_bits()}};
  const auto* identity = ak.identity();
  object["name"] = identity != nullptr ? json::value(identity->name.text()) : json::value(nullptr);
  object["attributes"] =
      identity != nullptr ? json::value(to_string(identity->area.attributes())) : json::value(nullptr);
  return object;
}

}  // namespace

json::object result_to_json(const AttestationResult& result) {
  json::object layers;
  for (const Layer layer : kLayers)
    layers[to_string(layer)] = to_string(result.of(layer));
  json::array findings;
  for (const Finding& finding : result.findings()) {
    findings.push_back(json::object{{"layer", to_string(finding.layer)},
                                    {"tier", to_string(finding.tier)},
                                    {"code", finding.code},
                                    {"what", finding.what},
                                    {"where", finding.where},
                                    {"expected", finding.expected},
                                    {"came", finding.came},
                                    {"allowed_by", finding.allowed_by}});
  }
  return {{"overall", to_string(result.overall())}, {"layers", std::move(layers)}, {"findings", std::move(findings)}};
}

json::object quote_to_json(const VerifiedQuote& quote) {
  const auto& attest = quote.attest();
  return {{"signature",
           json::object{{"scheme", scheme_name(quote.scheme().id)}, {"hash", measured_boot::bank_name(quote.hash())}}},
          {"ak", ak_to_json(quote.ak())},
          {"qualifiedSigner", to_hex(attest.qualified_signer)},
          {"extraData", to_hex(attest.extra_data)},
          {"clock", attest.clock.clock_ms},
          {"resetCount", attest.clock.reset_count},
          {"restartCount", attest.clock.restart_count},
          {"safe", attest.clock.safe},
          {"firmwareVersion", fmt::format("{:016x}", attest.firmware_version)},
          {"pcrSelect", to_json(attest.selections)},
          {"pcrDigest", to_hex(attest.pcr_digest)}};
}

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
    fmt::print("registers       {}", bank_of(selection));
    for (std::uint32_t index = 0; index < 32; ++index)
      if (selection.has(index)) fmt::print(" {}", index);
    fmt::print("\n");
  }
  fmt::print("digest          {}\n", to_hex(attest.pcr_digest));
}

}  // namespace warifu::cli

#include "attestation/appraisal/result_json.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "wire/utf8.h"

namespace warifu::attestation {
namespace {

namespace json = boost::json;

json::array selections_json(const tpm::PcrSelections& selections) {
  json::array all;
  for (const auto& selection : selections) {
    json::array indices;
    for (std::uint32_t index = 0; index < 32; ++index)
      if (selection.has(index)) indices.push_back(index);
    all.push_back(json::array{attestation::bank_name(selection), std::move(indices)});
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

std::string bank_name(const tpm::PcrSelection& selection) {
  if (selection.bank) return std::string(measured_boot::bank_name(*selection.bank));
  return fmt::format("{:#06x}", selection.bank_id);
}

json::object to_json(const Finding& finding) {
  return {{"layer", to_string(finding.layer)},
          {"tier", to_string(finding.tier)},
          {"code", finding.code},
          {"what", wire::to_utf8(finding.what)},
          {"where", wire::to_utf8(finding.where)},
          {"expected", wire::to_utf8(finding.expected)},
          {"came", wire::to_utf8(finding.came)},
          {"allowed_by", wire::to_utf8(finding.allowed_by)}};
}

json::object layers_json(const AttestationResult& result) {
  json::object layers;
  for (const Layer layer : kLayers)
    layers[to_string(layer)] = to_string(result.of(layer));
  return {{"overall", to_string(result.overall())}, {"layers", std::move(layers)}};
}

json::object to_json(const AttestationResult& result) {
  json::array findings;
  for (const Finding& finding : result.findings())
    findings.push_back(to_json(finding));
  json::object object = layers_json(result);
  object["findings"] = std::move(findings);
  return object;
}

json::object to_json(const VerifiedQuote& quote) {
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
          {"pcrSelect", selections_json(attest.selections)},
          {"pcrDigest", to_hex(attest.pcr_digest)}};
}

}  // namespace warifu::attestation

#include "verifier/result_json.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace warifu::verifier {
namespace {

using attestation::AttestationResult;

// Places and values are partly what a device sent: JSON holds text only.
std::string text_of(std::string_view text) {
  std::string printable;
  for (const char c : text)
    printable += c >= 0x20 && c < 0x7f ? c : '?';
  return printable;
}

boost::json::object object_of(const attestation::Finding& finding) {
  boost::json::object object{{"layer", to_string(finding.layer)},
                             {"tier", to_string(finding.tier)},
                             {"code", finding.code},
                             {"what", text_of(finding.what)}};
  const std::pair<std::string_view, const std::string*> optional[] = {{"where", &finding.where},
                                                                      {"expected", &finding.expected},
                                                                      {"came", &finding.came},
                                                                      {"allowed_by", &finding.allowed_by}};
  for (const auto& [name, text] : optional)
    if (!text->empty()) object[name] = text_of(*text);
  return object;
}

}  // namespace

boost::json::object layers_object(const AttestationResult& result) {
  boost::json::object layers;
  for (const auto layer : attestation::kLayers)
    layers[to_string(layer)] = to_string(result.of(layer));
  return {{"overall", to_string(result.overall())}, {"layers", std::move(layers)}};
}

std::string result_json(const AttestationResult& result) {
  auto object = layers_object(result);
  boost::json::array findings;
  for (const auto& finding : result.findings())
    findings.push_back(object_of(finding));
  object["findings"] = std::move(findings);
  return boost::json::serialize(object);
}

// As result_json() writes it; within a text each quotation mark has a backslash before it.
bool has_finding(std::string_view kept_result, std::string_view code) {
  return kept_result.find(fmt::format(R"("code":"{}")", code)) != std::string_view::npos;
}

}  // namespace warifu::verifier

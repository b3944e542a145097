#include "front/api/data_package_messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "attestation/appraisal/result_json.h"
#include "front/api/attestation_messages.h"
#include "front/api/body_limits.h"
#include "wire/json.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

Result<json::value> document_json(std::string_view text) {
  auto value = wire::parse_json(text, {.max_bytes = verifier::kPackageSizeMax});
  if (!value) return Error{ErrorKind::kInternal, "store.corrupt", to_string(value.error()), "data_packages.document"};
  return value;
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value();
}

std::string_view hardware_of(const attestation::AttestationResult& result) {
  return to_string(result.of(attestation::Layer::kHardware));
}

}  // namespace

Result<verifier::SignedPackage> parse_package(std::string_view body, verifier::PackageKind kind) {
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kPackageBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"document", "signature", "key"}));
  TRY(const Bytes document, fields.required_bytes("document"));
  if (document.size() > verifier::kPackageSizeMax)
    return invalid_input(
        "data_package.size",
        fmt::format("a package has at most {} bytes, {} came", verifier::kPackageSizeMax, document.size()), "document");
  TRY(auto signature, fields.required_bytes("signature"));
  TRY(const auto key, fields.required_string("key"));
  return verifier::SignedPackage::check(kind, std::string(as_text(document)), std::move(signature), key);
}

json::object to_json(const verifier::PackageInfo& package) {
  return {{"kind", to_string(package.kind)},          {"source", "operator"},
          {"revision", package.revision.text()},      {"document_sha256", to_hex(package.sha256)},
          {"key_sha256", to_hex(package.key_sha256)}, {"put_at", to_rfc3339(package.put_at)}};
}

Result<json::object> to_json(const verifier::StoredPackage& package) {
  json::object object = to_json(package.info);
  TRY(object["document"], document_json(as_text(package.document)));
  return object;
}

Result<json::object> built_in_flaws_json() {
  json::object object{{"kind", to_string(verifier::PackageKind::kTpmFlaws)},
                      {"source", "built-in"},
                      {"revision", nullptr},
                      {"document_sha256", nullptr},
                      {"key_sha256", nullptr},
                      {"put_at", nullptr}};
  const auto text = endorsement::SignedText::built_in_flaws();
  TRY(object["document"], document_json(text.text()));
  return object;
}

json::object to_json(const verifier::FlawTrial& trial) {
  return {{"registration_id", trial.registration_id.text()},
          {"tpm", trial.tpm},
          {"standing", text_or_null(trial.standing)},
          {"verdict", to_string(verifier::verdict_of(trial))},
          {"now", hardware_of(trial.now)},
          {"then", hardware_of(trial.then)},
          {"findings", new_findings(trial.now, trial.then)}};
}

std::optional<json::object> affected_json(const verifier::FlawTrial& trial) {
  json::array findings;
  for (const auto& finding : trial.now.findings())
    if (finding.code.starts_with("hardware.tpm-flaw")) findings.push_back(attestation::to_json(finding));
  if (findings.empty()) return std::nullopt;
  return json::object{{"registration_id", trial.registration_id.text()},
                      {"tpm", trial.tpm},
                      {"standing", text_or_null(trial.standing)},
                      {"hardware", hardware_of(trial.now)},
                      {"findings", std::move(findings)}};
}

}  // namespace warifu::front::api

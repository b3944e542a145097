#include "warifu/statement.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <charconv>
#include <system_error>

#include "base/bytes.h"
#include "base/place.h"
#include "endorsement/ek/pem.h"
#include "keystore/files.h"
#include "warifu/ek_reader.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

// One EK: the structure itself, or its base64.
Result<std::string> read_ek(const std::string& file) {
  TRY(auto reader, EkReader::open(file));
  TRY(auto ek, reader.next());
  if (!ek) return invalid_input("ek.file", "there is no EK in it", file);
  TRY(const auto second, reader.next());
  if (second) return invalid_input("ek.file", "expected one EK, more are in it", reader.place());
  if (!ek->certificate.empty())
    return invalid_input("ek.file", "expected an EK alone; its certificate goes to --ek-certificate", reader.place());
  return std::move(ek->ek);
}

// PEM as it is, DER in base64: the API takes both.
Result<std::string> read_certificate(const std::string& file) {
  TRY(const auto content, keystore::read_file(file));
  return endorsement::looks_like_pem(as_bytes(content)) ? content : to_base64(as_bytes(content));
}

Status set_key(json::object& keys, std::string_view member, const std::string& file) {
  if (file.empty()) return {};
  TRY(const auto content, keystore::read_file(file));
  keys[member] = without_line_end(content);
  return {};
}

Result<json::value> symmetric_key(const CredentialOptions& options) {
  json::object keys;
  TRY_STATUS(set_key(keys, "primary_key", options.primary_key_file));
  TRY_STATUS(set_key(keys, "secondary_key", options.secondary_key_file));
  return json::value(json::object{{"type", "symmetric-key"}, {"symmetric_key", std::move(keys)}});
}

Result<json::value> x509(const CredentialOptions& options) {
  TRY(const auto primary, read_certificate(options.x509_file));
  json::object certificates{{"primary", primary}};
  if (!options.x509_secondary_file.empty()) {
    TRY(const auto secondary, read_certificate(options.x509_secondary_file));
    certificates["secondary"] = secondary;
  }
  return json::value(json::object{{"type", "x509"}, {"x509", std::move(certificates)}});
}

Result<json::value> interval_of(const std::string& text) {
  if (text == "default") return json::value();
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size())
    return invalid_input("option.value", "expected a number of seconds, or default", "--attestation-interval");
  return json::value(seconds);
}

// What is null is not demanded.
Status apply_attestation(json::object& statement, const TermsOptions& options) {
  if (const auto& required = options.required_attestation)
    statement["required_attestation"] = *required == "none" ? json::value() : json::value(*required);
  if (!options.attestation_interval) return {};
  TRY(statement["attestation_interval_seconds"], interval_of(*options.attestation_interval));
  return {};
}

void print_changes(const json::object& written, bool dry_run) {
  const auto fields = wire::JsonFields(written);
  const auto outcome = fields.required_string("outcome");
  fmt::print("{}{}\n", dry_run ? "would be " : "", outcome ? *outcome : "written");
  const auto changes = fields.required_array("changes");
  if (!changes) return;
  for (const auto& change : **changes) {
    const auto text = [&](std::string_view member) {
      const auto* value = change.is_object() ? change.get_object().if_contains(member) : nullptr;
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    fmt::print("  {}: {} -> {}\n", text("field"), text("from"), text("to"));
  }
}

}  // namespace

Result<json::value> attestation_of(const CredentialOptions& options) {
  if (!options.tpm_ek_file.empty()) {
    TRY(const auto ek, read_ek(options.tpm_ek_file));
    json::object tpm{{"endorsement_key", ek}};
    if (!options.ek_certificate_file.empty()) {
      TRY(tpm["endorsement_certificate"], read_certificate(options.ek_certificate_file));
    }
    return json::value(json::object{{"type", "tpm"}, {"tpm", std::move(tpm)}});
  }
  if (options.tpm) {
    json::object tpm;
    if (options.naming) tpm["naming"] = *options.naming;
    if (!options.ek_authorities.empty())
      tpm["ek_authorities"] = json::array(options.ek_authorities.begin(), options.ek_authorities.end());
    if (options.approve_uncertified) tpm["approve_uncertified"] = *options.approve_uncertified;
    return json::value(json::object{{"type", "tpm"}, {"tpm", std::move(tpm)}});
  }
  if (options.symmetric) return symmetric_key(options);
  if (!options.x509_file.empty()) return x509(options);
  return json::value();
}

std::vector<Column> with_terms(std::vector<Column> lines) {
  const std::vector<Column> terms = {{"enabled", "enabled"},
                                     {"hubs", "hubs"},
                                     {"allocation", "allocation"},
                                     {"reprovision", "reprovision"},
                                     {"srk changes need approval", "approve_srk_changes"},
                                     {"attestation required", "required_attestation"},
                                     {"attestation interval", "attestation_interval_seconds"},
                                     {"software keys allowed", "allow_software_keys"},
                                     {"initial twin", "initial_twin"},
                                     {"created", "created_at"},
                                     {"updated", "updated_at"}};
  lines.insert(lines.end(), terms.begin(), terms.end());
  return lines;
}

Status apply_terms(json::object& statement, const TermsOptions& options) {
  if (options.enabled) statement["enabled"] = *options.enabled;
  if (!options.hubs.empty()) statement["hubs"] = json::array(options.hubs.begin(), options.hubs.end());
  if (options.allocation) statement["allocation"] = *options.allocation;
  if (options.reprovision) statement["reprovision"] = *options.reprovision;
  if (options.approve_srk_changes) statement["approve_srk_changes"] = *options.approve_srk_changes;
  TRY_STATUS(apply_attestation(statement, options));
  if (options.allow_software_keys) statement["allow_software_keys"] = *options.allow_software_keys;
  if (options.initial_twin_file.empty()) return {};
  TRY(const auto text, keystore::read_file(options.initial_twin_file));
  auto twin = wire::parse_json(text);
  if (!twin) return at(std::move(twin).error(), options.initial_twin_file);
  statement["initial_twin"] = *std::move(twin);
  return {};
}

json::object as_request(json::object shown) {
  for (const std::string_view member : {"ek_name", "etag", "created_at", "updated_at", "same_ek_as", "ek_certificate"})
    shown.erase(member);
  auto* attestation = shown["attestation"].if_object();
  auto* certificates = attestation == nullptr ? nullptr : attestation->if_contains("x509");
  if (certificates == nullptr || !certificates->is_object()) return shown;
  for (auto& member : certificates->get_object()) {
    if (!member.value().is_object()) continue;
    json::value certificate = member.value().get_object()["certificate"];
    member.value() = std::move(certificate);
  }
  return shown;
}

Status update_statement(const Context& context, const std::string& path, const StatementChange& change,
                        const std::vector<Column>& lines) {
  TRY(const auto api, client_of(context));
  TRY(const auto shown, api.get(path));
  TRY(const auto fields, wire::JsonFields::of(shown));
  TRY(const auto etag, fields.required_string("etag"));
  json::object request = as_request(shown.as_object());
  TRY(auto attestation, attestation_of(change.credential));
  if (!attestation.is_null()) request["attestation"] = std::move(attestation);
  if (change.device_id) request["device_id"] = *change.device_id;
  TRY_STATUS(apply_terms(request, change.terms));
  TRY(const auto written, api.put(path + (change.dry_run ? "?dry_run=true" : ""), json::serialize(request), etag));
  print(context, written, lines);
  if (!context.json) print_changes(written.as_object(), change.dry_run);
  return {};
}

}  // namespace warifu::cli

#include "warifu/attestation_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>

#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns = {{"REGISTRATION", "registration_id"}, {"OVERALL", "overall"},
                                      {"ATTESTED", "attested_at"},         {"NEXT DUE", "next_due_at"},
                                      {"OVERDUE", "is_overdue"},           {"PASSES", "passes"},
                                      {"POLICY", "policy.target"}};
const std::vector<Column> kLines = with_layers({{"registration", "registration_id"}, {"overall", "overall"}},
                                               {{"attested", "attested_at"},
                                                {"next due", "next_due_at"},
                                                {"overdue", "is_overdue"},
                                                {"passes", "passes"},
                                                {"policy", "policy.target"},
                                                {"  revision", "policy.revision"},
                                                {"attestation key", "ak.name"},
                                                {"  bound", "ak.bound_at"},
                                                {"endorsement key", "ak.ek_name"},
                                                {"reset count", "quote.reset_count"},
                                                {"restart count", "quote.restart_count"},
                                                {"firmware version", "quote.firmware_version"},
                                                {"null primary", "null_name"},
                                                {"boot", "boot_id"},
                                                {"boot log", "event_log_sha256"},
                                                {"IMA entries", "ima_entries"}});
const std::vector<Column> kEvidenceColumns = {
    {"NUMBER", "number"}, {"AT", "at"}, {"KEPT BECAUSE", "why"}, {"OVERALL", "result.overall"}};

// The worst first; what has no weight is last.
constexpr std::array<std::string_view, 4> kTiers = {"contraindicated", "warning", "affirming", "none"};

std::size_t place_of(std::string_view tier) {
  return static_cast<std::size_t>(std::distance(kTiers.begin(), std::ranges::find(kTiers, tier)));
}

Result<json::value> attestation_of(const ApiClient& api, const std::string& registration_id) {
  TRY(const auto path, path_of("registrations", registration_id));
  return api.get(path + "/attestation");
}

std::string text(const json::object& object, std::string_view member) {
  const auto* value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void print_finding(const json::object& finding) {
  fmt::print("- {}: {}", text(finding, "layer"), text(finding, "what"));
  if (const auto where = text(finding, "where"); !where.empty()) fmt::print("\n    where     {}", where);
  if (const auto expected = text(finding, "expected"); !expected.empty()) fmt::print("\n    expected  {}", expected);
  if (const auto came = text(finding, "came"); !came.empty()) fmt::print("\n    came      {}", came);
  if (const auto by = text(finding, "allowed_by"); !by.empty()) fmt::print("\n    allowed by {}", by);
  fmt::print("\n    code      {}\n", text(finding, "code"));
}

// What each tier means for whoever reads it.
std::string_view heading_of(std::string_view tier) {
  if (tier == "contraindicated") return "Contradicts, so that the device must not be trusted:";
  if (tier == "warning") return "Warns:";
  if (tier == "affirming") return "Affirms:";
  return "Told, without weight:";
}

Result<std::vector<json::object>> findings_of(const json::value& attestation) {
  TRY(const auto fields, wire::JsonFields::of(attestation));
  TRY(const auto result, fields.required_object("result"));
  TRY(const auto* array, result.required_array("findings"));
  std::vector<json::object> findings;
  for (const auto& item : *array)
    if (item.is_object()) findings.push_back(item.get_object());
  std::ranges::stable_sort(findings, {}, [](const json::object& finding) { return place_of(text(finding, "tier")); });
  return findings;
}

// Layers of which nothing is known are no silence: each is named.
std::string unknown_layers(const json::value& attestation) {
  std::string names;
  for (const auto& [layer, tier] : attestation.at("result").at("layers").as_object())
    if (tier == "none") names += fmt::format("{}{}", names.empty() ? "" : ", ", std::string_view(layer));
  return names;
}

Status print_explanation(const json::value& attestation) {
  TRY(const auto findings, findings_of(attestation));
  const auto& object = attestation.as_object();
  const auto overall = text(object, "overall");
  fmt::print("{} attested at {}: {}.\n", text(object, "registration_id"), text(object, "attested_at"), overall);
  if (object.at("is_overdue") == true)
    fmt::print("Since {} it is silent: whether that still holds nobody knows.\n", text(object, "next_due_at"));
  if (object.at("policy").is_null())
    fmt::print("No policy judged it. What it must show, say with `warifu policy put`.\n");
  std::string tier;
  for (const auto& finding : findings) {
    if (const auto now = text(finding, "tier"); now != tier) fmt::print("\n{}\n", heading_of(tier = now));
    print_finding(finding);
  }
  if (const auto layers = unknown_layers(attestation); !layers.empty())
    fmt::print("\nNothing is known of: {}. That is never taken for good.\n", layers);
  if (overall == "contraindicated" || overall == "warning")
    fmt::print("\nWhat changed: warifu attestation diff {}\n", text(object, "registration_id"));
  return {};
}

}  // namespace

Status list_attestations(const Context& context) {
  return list(context, "/api/v1/attestations", kColumns, "no device has attested yet");
}

Status show_attestation(const Context& context, const std::string& registration_id) {
  TRY(const auto api, client_of(context));
  TRY(const auto attestation, attestation_of(api, registration_id));
  print(context, attestation, kLines);
  return {};
}

Status explain_attestation(const Context& context, const std::string& registration_id) {
  TRY(const auto api, client_of(context));
  TRY(const auto attestation, attestation_of(api, registration_id));
  if (context.json)
    print_json(attestation);
  else
    TRY_STATUS(print_explanation(attestation));
  TRY(const auto fields, wire::JsonFields::of(attestation));
  TRY(const auto overall, fields.required_string("overall"));
  if (overall == "affirming") return {};
  return Error{ErrorKind::kRefused, "attestation.not-affirming",
               fmt::format("the last attestation of {} is \"{}\"", registration_id, overall)};
}

Status forget_attestation(const Context& context, const ForgetOptions& options) {
  TRY(const auto path, path_of("registrations", options.registration_id));
  TRY(const auto api, client_of(context));
  TRY_STATUS(api.post(path + "/attestation/forget", json::serialize(json::object{{"reason", options.reason}})));
  if (context.json)
    print_json(json::object{{"forgotten", options.registration_id}});
  else
    fmt::print("{} begins a new ledger with its next attestation\n", options.registration_id);
  return {};
}

Status list_kept_evidence(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of("registrations", registration_id));
  TRY(const auto api, client_of(context));
  TRY(const auto page, api.get(path + "/attestation/evidence?limit=100"));
  TRY(const auto fields, wire::JsonFields::of(page));
  TRY(const auto* items, fields.required_array("items"));
  if (context.json)
    print_json(*items);
  else
    print_table(*items, kEvidenceColumns, "nothing is kept: it has not attested yet");
  return {};
}

}  // namespace warifu::cli

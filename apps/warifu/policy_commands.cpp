#include "warifu/policy_commands.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "attestation/appraisal/policy_file.h"
#include "base/place.h"
#include "warifu/policy_text.h"
#include "warifu/policy_windows.h"
#include "warifu/requests.h"
#include "warifu/time_option.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using attestation::EvidencePolicy;

const std::vector<Column> kColumns = {
    {"FOR", "target"}, {"MODE", "mode"}, {"CHANGED", "updated_at"}, {"REVISION", "revision"}};

std::string name_of(const PolicyTarget& target) {
  if (!target.group_id.empty()) return fmt::format("the group {}", target.group_id);
  if (!target.registration_id.empty()) return target.registration_id;
  return "all without a policy of their own";
}

Result<EvidencePolicy> parse(const std::string& text, const std::string& file) {
  auto policy = attestation::parse_evidence_policy(text);
  if (!policy) return at(std::move(policy).error(), file);
  return policy;
}

json::object registers_of(const EvidencePolicy& policy) {
  json::object banks;
  for (const auto& [bank, index] : policy.registers) {
    const auto name = measured_boot::bank_name(bank);
    if (!banks.contains(name)) banks[name] = json::array();
    banks[name].as_array().emplace_back(index);
  }
  return banks;
}

std::string_view word_of(attestation::FlawWeight weight) {
  switch (weight) {
    case attestation::FlawWeight::kIgnore:
      return "have no weight";
    case attestation::FlawWeight::kWarn:
      return "warn";
    case attestation::FlawWeight::kFail:
      return "fail";
  }
  return "fail";
}

// What is wanted of the TPM, a sentence each.
json::array hardware_of(const attestation::HardwarePolicy& hardware) {
  json::array wants{fmt::format("known flaws {}", word_of(hardware.flaws)),
                    fmt::format("flaws of which nothing is known {}", word_of(hardware.unknown_flaws))};
  const auto add_list = [&wants](std::string_view what, const auto& values, auto to_text) {
    std::string text;
    for (const auto& value : values)
      text += fmt::format("{}{}", text.empty() ? "" : " or ", to_text(value));
    if (!text.empty()) wants.emplace_back(fmt::format("{} {}", what, text));
  };
  add_list("accepted:", hardware.accepted_flaws, [](const auto& id) { return id; });
  add_list("of the class", hardware.classes, [](auto one) { return to_string(one); });
  add_list("made by", hardware.manufacturers, [](auto one) { return one.text(); });
  if (hardware.requires_certificate) wants.emplace_back("with a trusted EK certificate");
  return wants;
}

std::string machine_of(const endorsement::MachineMatch& machine) {
  return fmt::format("{} {}{}{}", machine.manufacturer, machine.product, machine.firmware_version.empty() ? "" : ", ",
                     machine.firmware_version);
}

json::object demands_of(const EvidencePolicy& policy) {
  json::array claims;
  for (const auto* claim : policy.boot.claims)
    claims.emplace_back(claim->name);
  json::array events;
  for (const auto& event : policy.boot.events)
    events.emplace_back(fmt::format("{} (PCR {})", event.name, event.pcr));
  return {{"registers", registers_of(policy)},
          {"claims", std::move(claims)},
          {"events", std::move(events)},
          {"judges_ima", policy.ima.has_value()},
          {"windows", windows_of(policy)},
          {"hardware", policy.hardware ? hardware_of(*policy.hardware) : json::array()},
          {"machine", policy.machine ? json::value(machine_of(*policy.machine)) : json::value()}};
}

std::string joined(const json::array& texts) {
  std::string all;
  for (const auto& text : texts)
    all += fmt::format("{}{}", all.empty() ? "" : ", ", std::string_view(text.as_string()));
  return all.empty() ? "nothing" : all;
}

void print_demands(const json::object& demands) {
  fmt::print("registers         {}\n", json::serialize(demands.at("registers")));
  fmt::print("boot, claims      {}\n", joined(demands.at("claims").as_array()));
  fmt::print("boot, events      {}\n", joined(demands.at("events").as_array()));
  const bool judges_ima = demands.at("judges_ima").as_bool();
  fmt::print("IMA list          {}\n", judges_ima ? "judged file by file" : "not judged");
  print_windows(demands.at("windows").as_array());
  const auto& hardware = demands.at("hardware").as_array();
  fmt::print("TPM               {}\n", hardware.empty() ? "known flaws warn" : joined(hardware));
  if (const auto* machine = demands.at("machine").if_string())
    fmt::print("machine           {}: signed quirks and waivers for it apply\n", std::string_view(*machine));
  if (demands.at("claims").as_array().empty() && demands.at("events").as_array().empty())
    fmt::print("note: no boot is demanded: the boot layer will never be affirmed\n");
  if (!judges_ima)
    fmt::print("note: what runs after the boot is not judged: the runtime layer will never be affirmed\n");
}

}  // namespace

Result<std::string> policy_path(const PolicyTarget& target) {
  constexpr std::string_view kPolicies = "attestation-policies";
  if (!target.group_id.empty()) return path_of(fmt::format("{}/groups", kPolicies), target.group_id);
  if (!target.registration_id.empty()) return path_of(fmt::format("{}/enrollments", kPolicies), target.registration_id);
  return path_of(kPolicies, "default");
}

Result<std::string> policy_body(const std::string& file, const PolicyRequestOptions& options) {
  std::string at;
  if (!options.at.empty()) {
    TRY(const auto time, time_of(options.at, "--at"));
    at = fmt::format(R"("at":"{}",)", to_rfc3339(time));
  }
  TRY(const auto text, read_policy_text(file));
  TRY_STATUS(parse(text, file));
  return fmt::format(R"({{"mode":"{}",{}"policy":{}}})", options.review ? "review" : "enforce", at, text);
}

Status put_policy(const Context& context, const PolicyPutOptions& options) {
  TRY(const auto path, policy_path(options.target));
  TRY(const auto body, policy_body(options.file, {.review = options.review}));
  TRY(const auto api, client_of(context));
  TRY(const auto written, api.put(path + (options.dry_run ? "?dry_run=true" : ""), body));
  if (context.json) {
    print_json(written);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(written));
  TRY(const auto outcome, fields.required_string("outcome"));
  TRY(const auto revision, fields.required_string("revision"));
  fmt::print("the policy for {} is {} (revision {}, {})\n", name_of(options.target), outcome, revision,
             options.review ? "review: it weighs at most as a warning" : "enforce");
  if (options.dry_run) fmt::print("dry run: nothing was changed\n");
  return {};
}

Status list_policies(const Context& context, bool with_windows) {
  if (with_windows) return list_policy_windows(context);
  return list(context, "/api/v1/attestation-policies", kColumns,
              "no policy: what devices attest is verified, and affirmed nowhere");
}

Status show_policy(const Context& context, const PolicyTarget& target) {
  TRY(const auto path, policy_path(target));
  TRY(const auto api, client_of(context));
  TRY(const auto policy, api.get(path));
  if (context.json) {
    print_json(policy);
    return {};
  }
  print_record(policy.as_object(), kColumns);
  TRY(const auto fields, wire::JsonFields::of(policy));
  const auto* document = fields.find("policy");
  const std::string text = document == nullptr ? "" : json::serialize(*document);
  TRY(const auto parsed, attestation::parse_evidence_policy(text));
  print_demands(demands_of(parsed));
  return {};
}

Status delete_policy(const Context& context, const PolicyTarget& target) {
  TRY(const auto path, policy_path(target));
  return remove(context, path, path, fmt::format("the policy for {} was deleted", name_of(target)));
}

Status check_policy(const Context& context, const std::string& file) {
  TRY(const auto text, read_policy_text(file));
  TRY(const auto policy, parse(text, file));
  const auto demands = demands_of(policy);
  if (context.json)
    print_json(demands);
  else
    print_demands(demands);
  return {};
}

}  // namespace warifu::cli

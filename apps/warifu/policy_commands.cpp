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
          {"windows", windows_of(policy)}};
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

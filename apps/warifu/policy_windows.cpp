#include "warifu/policy_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "warifu/policy_commands.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kWindowColumns = {
    {"FOR", "target"}, {"MODE", "mode"}, {"CHANGED", "updated_at"}, {"NEXT WINDOW CLOSES", "next_window"}};

// What a list calls "group/ID" and "enrollment/ID".
PolicyTarget target_of(std::string_view name) {
  constexpr std::string_view kGroup = "group/";
  constexpr std::string_view kEnrollment = "enrollment/";
  if (name.starts_with(kGroup)) return {.group_id = std::string(name.substr(kGroup.size())), .registration_id = {}};
  if (name.starts_with(kEnrollment))
    return {.group_id = {}, .registration_id = std::string(name.substr(kEnrollment.size()))};
  return {};
}

Result<json::value> next_window(const ApiClient& api, const PolicyTarget& target) {
  TRY(const auto path, policy_path(target));
  TRY(const auto stored, api.get(path));
  TRY(const auto fields, wire::JsonFields::of(stored));
  const auto* document = fields.find("policy");
  TRY(const auto policy, attestation::parse_evidence_policy(document == nullptr ? "" : json::serialize(*document)));
  const std::string now = to_rfc3339(SystemClock().now());
  for (const auto& window : windows_of(policy))
    if (std::string_view(window.at("until").as_string()) > now) return window.at("until");
  return json::value();
}

}  // namespace

json::array windows_of(const attestation::EvidencePolicy& policy) {
  json::array windows;
  if (!policy.ima) return windows;
  auto sorted = policy.ima->policy.files.windows();
  std::ranges::sort(sorted, {}, &measured_boot::ima::AllowList::Window::until);
  for (const auto& [until, pairs] : sorted)
    windows.push_back(json::object{{"until", to_rfc3339(until)}, {"files", pairs}});
  return windows;
}

void print_windows(const json::array& windows) {
  const std::string now = to_rfc3339(SystemClock().now());
  for (const auto& window : windows) {
    const std::string_view until = window.at("until").as_string();
    const bool is_closed = until <= now;
    fmt::print("window            {} {}: {} files {} good until then\n", is_closed ? "closed at" : "open until", until,
               window.at("files").to_number<std::uint64_t>(), is_closed ? "were" : "are");
  }
}

Status list_policy_windows(const Context& context) {
  TRY(const auto api, client_of(context));
  TRY(auto policies, get_all(api, "/api/v1/attestation-policies"));
  for (auto& policy : policies) {
    TRY(const auto fields, wire::JsonFields::of(policy));
    TRY(const auto name, fields.required_string("target"));
    TRY(policy.as_object()["next_window"], next_window(api, target_of(name)));
  }
  if (context.json)
    print_json(policies);
  else
    print_table(policies, kWindowColumns, "no policy: what devices attest is verified, and affirmed nowhere");
  return {};
}

}  // namespace warifu::cli

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "warifu/requests.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kApprovalLines = {{"registration id", "registration_id"},
                                            {"ek name", "ek_name"},
                                            {"srk name", "srk_name"},
                                            {"requested", "requested_at"},
                                            {"approved", "approved_at"}};

std::string text_of(const json::object& wish, std::string_view member) {
  return std::string(wish.at(member).as_string());
}

// IDs are the same in either case; the server writes them in lower case.
bool is_same_id(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// What the word is about: the names that the operator gave, or those that wait now, which he is shown.
Result<std::string> keys_of(const Context& context, const ApiClient& api, const DecisionOptions& options) {
  if (!options.ek_name.empty())
    return json::serialize(json::object{{"ek_name", options.ek_name}, {"srk_name", options.srk_name}});
  TRY(const auto items, get_all(api, "/api/v1/approvals"));
  for (const auto& item : items) {
    const auto& wish = item.as_object();
    if (!is_same_id(text_of(wish, "registration_id"), options.registration_id)) continue;
    if (!context.json)
      fmt::print("{} waits with the EK {} and the SRK {}\n", text_of(wish, "registration_id"), text_of(wish, "ek_name"),
                 text_of(wish, "srk_name"));
    return json::serialize(json::object{{"ek_name", wish.at("ek_name")}, {"srk_name", wish.at("srk_name")}});
  }
  return Error{ErrorKind::kNotFound, "approval.unknown",
               fmt::format("{} does not wait for an approval", options.registration_id)};
}

}  // namespace

Status list_approvals(const Context& context) {
  return list(context, "/api/v1/approvals",
              {{"REGISTRATION ID", "registration_id"},
               {"REQUESTED", "requested_at"},
               {"APPROVED", "approved_at"},
               {"EK NAME", "ek_name"},
               {"SRK NAME", "srk_name"}},
              "no device waits for an approval");
}

Status approve(const Context& context, const DecisionOptions& options) {
  TRY(const auto path, path_of("approvals", options.registration_id));
  TRY(const auto api, client_of(context));
  TRY(const auto keys, keys_of(context, api, options));
  TRY(const auto approval, api.post(path + "/approve", keys));
  print(context, approval, kApprovalLines);
  return {};
}

Status reject(const Context& context, const DecisionOptions& options) {
  TRY(const auto path, path_of("approvals", options.registration_id));
  TRY(const auto api, client_of(context));
  TRY(const auto keys, keys_of(context, api, options));
  TRY_STATUS(api.post(path + "/reject", keys));
  if (context.json)
    print_json(json::object{{"rejected", options.registration_id}});
  else
    fmt::print("the registration of {} that waited is over\n", options.registration_id);
  return {};
}

Status list_alerts(const Context& context) {
  return list(context, "/api/v1/alerts",
              {{"REGISTRATION ID", "registration_id"},
               {"KIND", "kind"},
               {"SUBJECT", "subject"},
               {"COUNT", "count"},
               {"LAST", "last_at"},
               {"ACKNOWLEDGED", "acknowledged_at"},
               {"DETAIL", "detail"}},
              "there is no alert");
}

Status acknowledge_alert(const Context& context, const AlertOptions& options) {
  TRY(const auto api, client_of(context));
  const json::object alert{
      {"registration_id", options.registration_id}, {"kind", options.kind}, {"subject", options.subject}};
  TRY_STATUS(api.post("/api/v1/alerts/acknowledge", json::serialize(alert)));
  if (context.json)
    print_json(json::object{{"acknowledged", alert}});
  else
    fmt::print("the alert {} of {} is acknowledged\n", options.kind, options.registration_id);
  return {};
}

}  // namespace warifu::cli

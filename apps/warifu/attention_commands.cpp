#include <fmt/format.h>

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

Status approve(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of("approvals", registration_id));
  TRY(const auto api, client_of(context));
  TRY(const auto approval, api.post(path + "/approve", {}));
  print(context, approval, kApprovalLines);
  return {};
}

Status reject(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of("approvals", registration_id));
  TRY(const auto api, client_of(context));
  TRY_STATUS(api.post(path + "/reject", {}));
  if (context.json)
    print_json(json::object{{"rejected", registration_id}});
  else
    fmt::print("the registration of {} that waited is over\n", registration_id);
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

#include <fmt/format.h>

#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kPartLines[] = {
    {{"enrollment", "enrollment.attestation_type"},
     {"  enabled", "enrollment.enabled"},
     {"  ek name", "enrollment.ek_name"},
     {"  changed", "enrollment.updated_at"}},
    {{"group", "group.group_id"}, {"  attestation", "group.attestation_type"}, {"  enabled", "group.enabled"}},
    {{"device", "device.device_id"},
     {"  state", "device.state"},
     {"  hold", "device.hold"},
     {"  assigned hub", "device.assigned_hub"},
     {"  assigned", "device.updated_at"}},
    {{"operation", "operation.operation_id"},
     {"  state", "operation.state"},
     {"  opened", "operation.created_at"},
     {"  ended", "operation.ended_at"}},
    {{"approval", "approval.requested_at"},
     {"  ek name", "approval.ek_name"},
     {"  srk name", "approval.srk_name"},
     {"  approved", "approval.approved_at"}},
    {{"ek certificate", "ek_certificate.fingerprint_sha256"},
     {"  is", "ek_certificate.verdict.verdict"},
     {"  because", "ek_certificate.verdict.reason"},
     {"  tpm maker", "ek_certificate.verdict.vendor"},
     {"  tpm class", "ek_certificate.verdict.class"},
     {"  root", "ek_certificate.verdict.path.last.subject"}},
};
const std::vector<Column> kAlertColumns = {{"ALERT", "kind"},
                                           {"COUNT", "count"},
                                           {"LAST", "last_at"},
                                           {"ACKNOWLEDGED", "acknowledged_at"},
                                           {"DETAIL", "detail"}};
const std::vector<Column> kAttemptColumns = {{"AT", "at"},          {"COUNT", "count"}, {"FROM", "peer_address"},
                                             {"STAGE", "stage"},    {"CODE", "code"},   {"TRACKING ID", "tracking_id"},
                                             {"MESSAGE", "message"}};

// The parts of the story that there are, in one block.
std::vector<Column> lines_of(const json::object& story) {
  std::vector<Column> lines;
  for (const auto& part : kPartLines) {
    const auto name = part.front().member.substr(0, part.front().member.find('.'));
    const auto* value = story.if_contains(name);
    if (value != nullptr && value->is_object()) lines.insert(lines.end(), part.begin(), part.end());
  }
  return lines;
}

}  // namespace

Status explain_registration(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of("registrations", registration_id));
  TRY(const auto api, client_of(context));
  TRY(const auto story, api.get(path + "/explanation"));
  if (context.json) {
    print_json(story);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(story));
  TRY(const auto verdict, fields.required_string("verdict"));
  TRY(const auto* alerts, fields.required_array("alerts"));
  TRY(const auto* attempts, fields.required_array("attempts"));
  fmt::print("{}\n\n", verdict);
  print_record(story.as_object(), lines_of(story.as_object()));
  if (!alerts->empty()) {
    fmt::print("\n");
    print_table(*alerts, kAlertColumns, "");
  }
  fmt::print("\n");
  print_table(*attempts, kAttemptColumns, "nobody came under this registration ID in the last days");
  return {};
}

}  // namespace warifu::cli

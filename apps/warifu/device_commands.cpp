#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/bytes.h"
#include "keystore/files.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kDeviceColumns = {{"DEVICE ID", "device_id"},
                                            {"STATE", "state"},
                                            {"HOLD", "hold"},
                                            {"HUB", "assigned_hub"},
                                            {"UPDATED", "updated_at"}};
const std::vector<Column> kRegistrationColumns = {{"REGISTRATION ID", "registration_id"},
                                                  {"GROUP", "group_id"},
                                                  {"TYPE", "attestation_type"},
                                                  {"DEVICE ID", "device_id"},
                                                  {"HUB", "assigned_hub"},
                                                  {"ASSIGNED", "updated_at"}};
const std::vector<Column> kWaitingColumns = {{"REGISTRATION ID", "registration_id"},
                                             {"GROUP", "group_id"},
                                             {"SINCE", "since"},
                                             {"NEEDS APPROVAL", "needs_approval"},
                                             {"ATTESTATION", "attestation_shortfall.message"},
                                             {"BECAUSE", "attestation_shortfall.detail"}};
const std::vector<Column> kDeviceLines = {{"device id", "device_id"},
                                          {"registration id", "registration_id"},
                                          {"group", "group_id"},
                                          {"attestation", "attestation_type"},
                                          {"lifecycle state", "state"},
                                          {"hold", "hold"},
                                          {"assigned hub", "assigned_hub"},
                                          {"ek name", "ek_name"},
                                          {"ek certificate", "ek_certificate.fingerprint_sha256"},
                                          {"ek certificate is", "ek_certificate.verdict.verdict"},
                                          {"because", "ek_certificate.verdict.reason"},
                                          {"tpm maker", "ek_certificate.verdict.vendor"},
                                          {"tpm class", "ek_certificate.verdict.class"},
                                          {"tpm root", "ek_certificate.verdict.path.last.subject"},
                                          {"srk name", "srk_name"},
                                          {"certificate", "certificate_sha256"},
                                          {"first provisioned", "created_at"},
                                          {"last provisioned", "updated_at"}};
const std::vector<Column> kEscrowColumns = {
    {"NUMBER", "number"}, {"RECEIVED", "received_at"}, {"SHA-256", "sha256"}, {"EK NAME", "ek_name"}};

// The package with that number, else the newest; returns its number.
Result<std::uint64_t> write_package(const json::array& packages, const EscrowOptions& options) {
  std::uint64_t newest = 0;
  std::string package;
  for (const auto& item : packages) {
    TRY(const auto fields, wire::JsonFields::of(item, "packages"));
    TRY(const auto number, fields.required_uint("number"));
    if (number <= newest || (options.number && *options.number != number)) continue;
    newest = number;
    TRY(package, fields.required_string("package"));
  }
  if (newest == 0) return Error{ErrorKind::kNotFound, "escrow.package.unknown", "the device deposited no such package"};
  TRY(const auto der, from_base64(package));
  TRY_STATUS(keystore::write_file(std::filesystem::path(options.out_file), der, FileMode::kPrivate));
  return newest;
}

}  // namespace

Status list_devices(const Context& context, const std::string& group_id) {
  if (group_id.empty()) return list(context, "/api/v1/devices", kDeviceColumns, "no device has registered yet");
  return list_group_devices(context, group_id);
}

Status list_group_devices(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of("enrollment-groups", group_id));
  return list(context, path + "/devices", kDeviceColumns, "no device has come under this group yet");
}

// What waits is a list of its own; programs ask for it by itself.
Status list_registrations(const Context& context, bool only_waiting) {
  if (!only_waiting) TRY_STATUS(list(context, "/api/v1/devices", kRegistrationColumns, "no device has registered yet"));
  if (!only_waiting && context.json) return {};
  if (!only_waiting) fmt::print("\n");
  return list(context, "/api/v1/waiting-registrations", kWaitingColumns, "nobody waits for an assignment");
}

Status show_device(const Context& context, const std::string& device_id) {
  TRY(const auto path, path_of("devices", device_id));
  return show(context, path, kDeviceLines);
}

Status show_hub_key(const Context& context, const std::string& device_id) {
  TRY(const auto path, path_of("devices", device_id));
  return show(context, path + "/hub-key",
              {{"device id", "device_id"}, {"primary key", "primary_key"}, {"secondary key", "secondary_key"}});
}

Status show_escrow(const Context& context, const EscrowOptions& options) {
  TRY(const auto path, path_of("devices", options.device_id));
  TRY(const auto api, client_of(context));
  TRY(const auto answer, api.get(path + "/escrow"));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* packages, fields.required_array("packages"));
  if (options.out_file.empty()) {
    if (options.number)
      return invalid_input("escrow.out", "--number chooses the package that --out writes: give both", "--number");
    if (context.json)
      print_json(answer);
    else
      print_table(*packages, kEscrowColumns, "this device has deposited nothing");
    return {};
  }
  TRY(const auto number, write_package(*packages, options));
  if (context.json)
    print_json(json::object{{"number", number}, {"file", options.out_file}});
  else
    fmt::print("package {} of {} is in {}\n", number, packages->size(), options.out_file);
  return {};
}

}  // namespace warifu::cli

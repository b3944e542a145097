#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/bytes.h"
#include "keystore/files.h"
#include "warifu/commands.h"
#include "warifu/output.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kEnrollmentColumns = {
    {"REGISTRATION ID", "registration_id"}, {"EK NAME", "ek_name"}, {"CREATED", "created_at"}};
const std::vector<Column> kEnrollmentLines = {{"registration id", "registration_id"},
                                              {"ek name", "ek_name"},
                                              {"software keys allowed", "allow_software_keys"},
                                              {"created", "created_at"}};
const std::vector<Column> kDeviceColumns = {{"DEVICE ID", "device_id"},
                                            {"STATE", "state"},
                                            {"HOLD", "hold"},
                                            {"HUB", "assigned_hub"},
                                            {"UPDATED", "updated_at"}};
const std::vector<Column> kDeviceLines = {
    {"device id", "device_id"}, {"registration id", "registration_id"}, {"lifecycle state", "state"},
    {"hold", "hold"},           {"assigned hub", "assigned_hub"},       {"ek name", "ek_name"},
    {"srk name", "srk_name"},   {"first provisioned", "created_at"},    {"last provisioned", "updated_at"}};
const std::vector<Column> kEscrowColumns = {
    {"NUMBER", "number"}, {"RECEIVED", "received_at"}, {"SHA-256", "sha256"}, {"EK NAME", "ek_name"}};

// In a path an ID needs no escapes (base/ids.h), and what is no ID the server refuses; but a slash must not change the
// route.
Result<std::string> path_of(std::string_view collection, const std::string& id) {
  if (id.empty() || id.find_first_of("/?#% ") != std::string::npos)
    return invalid_input("id.form", fmt::format("\"{}\" is no ID", id));
  return fmt::format("/api/v1/{}/{}", collection, id);
}

// All pages of a list, one after another.
Result<json::array> get_all(const ApiClient& api, const std::string& collection) {
  json::array all;
  std::string query;
  for (;;) {
    TRY(const auto page, api.get(fmt::format("/api/v1/{}?limit=1000{}", collection, query)));
    TRY(const auto fields, wire::JsonFields::of(page));
    TRY(const auto* items, fields.required_array("items"));
    all.insert(all.end(), items->begin(), items->end());
    TRY(const auto next, fields.optional_string("next"));
    if (!next) return all;
    query = "&after=" + *next;
  }
}

Status list(const Context& context, const std::string& collection, const std::vector<Column>& columns,
            std::string_view when_empty) {
  TRY(auto connection, endpoint(context.connection));
  TRY(auto items, get_all(ApiClient(std::move(connection)), collection));
  if (context.json)
    print_json(std::move(items));
  else
    print_table(items, columns, when_empty);
  return {};
}

Status show(const Context& context, const std::string& path, const std::vector<Column>& lines) {
  TRY(auto connection, endpoint(context.connection));
  TRY(const auto record, ApiClient(std::move(connection)).get(path));
  if (context.json)
    print_json(record);
  else
    print_record(record.as_object(), lines);
  return {};
}

// The file holds the TPM structure itself, or its base64.
Result<std::string> read_ek_as_base64(const std::string& file) {
  TRY(auto content, keystore::read_file(file));
  std::string text = content;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  const auto decoded = from_base64(text);
  return decoded && !decoded->empty() ? text : to_base64(as_bytes(content));
}

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

Status create_enrollment(const Context& context, const EnrollmentOptions& options) {
  TRY(auto connection, endpoint(context.connection));
  TRY(const auto ek, read_ek_as_base64(options.tpm_ek_file));
  const json::object request{
      {"registration_id", options.registration_id},
      {"attestation", json::object{{"type", "tpm"}, {"tpm", json::object{{"endorsement_key", ek}}}}},
      {"allow_software_keys", options.allow_software_keys}};
  TRY(const auto answer, ApiClient(std::move(connection)).post("/api/v1/enrollments", json::serialize(request)));
  if (context.json)
    print_json(answer);
  else
    print_record(answer.as_object(), kEnrollmentLines);
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* same_ek, fields.required_array("same_ek_as"));
  if (!same_ek->empty())
    fmt::print(stderr, "warning: this EK is enrolled under other IDs too: {}. Two devices cannot have one TPM.\n",
               json::serialize(*same_ek));
  return {};
}

Status list_enrollments(const Context& context) {
  return list(context, "enrollments", kEnrollmentColumns, "nothing is enrolled: see `warifu enrollment create --help`");
}

Status show_enrollment(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of("enrollments", registration_id));
  return show(context, path, kEnrollmentLines);
}

Status delete_enrollment(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of("enrollments", registration_id));
  TRY(auto connection, endpoint(context.connection));
  TRY_STATUS(ApiClient(std::move(connection)).remove(path));
  if (context.json)
    print_json(json::object{{"deleted", registration_id}});
  else
    fmt::print("{} is no longer enrolled\n", registration_id);
  return {};
}

Status list_devices(const Context& context) {
  return list(context, "devices", kDeviceColumns, "no device has registered yet");
}

Status show_device(const Context& context, const std::string& device_id) {
  TRY(const auto path, path_of("devices", device_id));
  return show(context, path, kDeviceLines);
}

Status show_hub_key(const Context& context, const std::string& device_id) {
  TRY(const auto path, path_of("devices", device_id));
  return show(context, path + "/hub-key", {{"device id", "device_id"}, {"primary key", "primary_key"}});
}

Status show_escrow(const Context& context, const EscrowOptions& options) {
  TRY(const auto path, path_of("devices", options.device_id));
  TRY(auto connection, endpoint(context.connection));
  TRY(const auto answer, ApiClient(std::move(connection)).get(path + "/escrow"));
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

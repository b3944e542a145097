#include "warifu/application_key_commands.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "base/secret.h"
#include "keystore/files.h"
#include "warifu/requests.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kApplicationKeyLines = {
    {"registration ID", "registration_id"}, {"name", "name"},           {"version", "version"}, {"state", "state"},
    {"capped by PCR", "capped_by_pcr"},     {"given at", "created_at"}, {"key (base64)", "key"}};
const std::vector<Column> kVersionColumns = {
    {"NAME", "name"},        {"VERSION", "version"},        {"STATE", "state"},          {"PCR", "capped_by_pcr"},
    {"GIVEN", "created_at"}, {"STATE SINCE", "changed_at"}, {"DEVICE FORGOT", "told_at"}};

Result<std::string> keys_path(const std::string& registration_id) {
  TRY(const auto registration, path_of("registrations", registration_id));
  return registration + "/application-keys";
}

Result<std::string> key_path(const ApplicationKeyOptions& options) {
  TRY(const auto keys, keys_path(options.registration_id));
  // What would change the request is refused there.
  TRY_STATUS(path_of("application-keys", options.name));
  return fmt::format("{}/{}", keys, options.name);
}

// {"key": …}, or nothing when the server shall make one. The key is as it stands in the file, in base64.
Status add_key(json::object& body, const std::string& file) {
  if (file.empty()) return {};
  TRY(const auto content, keystore::read_secret_file(file));
  std::string_view text = as_text(content.reveal());
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' '))
    text.remove_suffix(1);
  body["key"] = text;
  return {};
}

Status send(const Context& context, const std::string& path, const json::object& body) {
  TRY(const auto api, client_of(context));
  std::string text = json::serialize(body);
  const auto answer = api.post(path, text);
  wipe(text);
  if (!answer) return answer.error();
  print(context, *answer, kApplicationKeyLines);
  return {};
}

}  // namespace

Status put_application_key(const Context& context, const ApplicationKeyOptions& options) {
  TRY(const auto path, keys_path(options.registration_id));
  json::object body{{"name", options.name}};
  if (options.generate) body["generate"] = true;
  TRY_STATUS(add_key(body, options.key_file));
  if (options.capped_by_pcr) body["capped_by_pcr"] = *options.capped_by_pcr;
  return send(context, path, body);
}

Status rotate_application_key(const Context& context, const ApplicationKeyOptions& options) {
  TRY(const auto path, key_path(options));
  json::object body;
  TRY_STATUS(add_key(body, options.key_file));
  return send(context, path + "/rotate", body);
}

Status revoke_application_key(const Context& context, const ApplicationKeyOptions& options) {
  TRY(const auto api, client_of(context));
  TRY(const auto path, key_path(options));
  TRY(const auto answer, api.post(path + "/revoke", ""));
  if (context.json)
    print_json(answer.as_object().at("items"));
  else
    print_table(answer.as_object().at("items").as_array(), kVersionColumns, "there is no version of it");
  return {};
}

Status show_application_key(const Context& context, const ApplicationKeyOptions& options) {
  TRY(const auto path, key_path(options));
  return list(context, path, kVersionColumns, "there is no version of it");
}

Status list_application_keys(const Context& context, const std::string& registration_id) {
  TRY(const auto path, keys_path(registration_id));
  return list(context, path, kVersionColumns, "no application keys: `warifu application-key put` gives the device one");
}

}  // namespace warifu::cli

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "base/ids.h"
#include "base/secret.h"
#include "keystore/files.h"
#include "warifu/commands.h"
#include "warifu/output.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

Result<std::string> read_token(const std::string& file) {
  std::string text;
  if (file == "-") {
    std::getline(std::cin, text);
  } else {
    TRY(text, keystore::read_file(file));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  if (text.empty())
    return invalid_input("login.token", "there is no token in it", file == "-" ? "standard input" : file);
  return text;
}

// The permissions as one text.
boost::json::object as_row(boost::json::object key) {
  std::string names;
  if (const auto* permissions = key["permissions"].if_array())
    for (const auto& permission : *permissions)
      names += (names.empty() ? "" : " ") + std::string(permission.as_string());
  key["permissions"] = names;
  return key;
}

}  // namespace

Status login(const Context& context, const LoginOptions& options) {
  TRY(auto endpoint, endpoint_before_login(context.connection));
  TRY(auto token, read_token(options.token_file));
  boost::json::object request{{"bootstrap_token", token}};
  wipe(token);
  if (options.name) request["name"] = *options.name;
  if (!options.permissions.empty())
    request["permissions"] = boost::json::array(options.permissions.begin(), options.permissions.end());
  if (options.lifetime_seconds) request["lifetime_seconds"] = *options.lifetime_seconds;

  endpoint.access_token.clear();
  TRY(const auto answer, ApiClient(endpoint).post_once("/api/v1/login", boost::json::serialize(request)));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(endpoint.access_token, fields.required_string("access_token"));
  TRY_STATUS(save_profile(context.connection.profile, endpoint));
  TRY(const auto expires_at, fields.required_string("expires_at"));
  TRY(const auto id_scope, fields.required_string("id_scope"));
  if (context.json) {
    // Without the token: it is in the profile, and the output of a command ends in logs.
    print_json(boost::json::object{{"server", endpoint.server}, {"id_scope", id_scope}, {"expires_at", expires_at}});
  } else {
    fmt::print("logged in at {} (ID scope {}) until {}\n", endpoint.server, id_scope, expires_at);
  }
  return {};
}

Status show_id_scope(const Context& context) {
  TRY(auto connection, endpoint(context.connection));
  TRY(const auto answer, ApiClient(std::move(connection)).get("/api/v1/id-scope"));
  if (context.json) {
    print_json(answer);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto scope, fields.required_string("id_scope"));
  fmt::print("{}\n", scope);
  return {};
}

Status create_service_key(const Context& context, const ServiceKeyOptions& options) {
  TRY(auto connection, endpoint(context.connection));
  boost::json::object request{{"name", options.name}};
  if (!options.permissions.empty())
    request["permissions"] = boost::json::array(options.permissions.begin(), options.permissions.end());
  TRY(const auto answer,
      ApiClient(std::move(connection)).post("/api/v1/service-keys", boost::json::serialize(request)));
  if (context.json) {
    print_json(answer);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto connection_string, fields.required_string("connection_string"));
  fmt::print("{}\n", connection_string);
  return {};
}

Status list_service_keys(const Context& context) {
  TRY(auto connection, endpoint(context.connection));
  TRY(const auto answer, ApiClient(std::move(connection)).get("/api/v1/service-keys"));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* items, fields.required_array("items"));
  if (context.json) {
    print_json(*items);
    return {};
  }
  boost::json::array rows;
  for (const auto& item : *items)
    rows.emplace_back(as_row(item.as_object()));
  print_table(rows, {{"NAME", "name"}, {"CREATED", "created_at"}, {"PERMISSIONS", "permissions"}}, "no service keys");
  return {};
}

Status delete_service_key(const Context& context, const std::string& name) {
  // A slash must not change the path.
  TRY(const auto label, Label::parse(name));
  TRY(auto connection, endpoint(context.connection));
  TRY_STATUS(ApiClient(std::move(connection)).remove("/api/v1/service-keys/" + label.text()));
  if (context.json)
    print_json(boost::json::object{{"deleted", label.text()}});
  else
    fmt::print("the service key {} is deleted: what it signed is refused\n", name);
  return {};
}

}  // namespace warifu::cli

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

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

Status create_service_key(const Context& context, const std::string& name) {
  TRY(auto connection, endpoint(context.connection));
  const std::string request = boost::json::serialize(boost::json::object{{"name", name}});
  TRY(const auto answer, ApiClient(std::move(connection)).post("/api/v1/service-keys", request));
  if (context.json) {
    print_json(answer);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto connection_string, fields.required_string("connection_string"));
  fmt::print("{}\n", connection_string);
  return {};
}

}  // namespace warifu::cli

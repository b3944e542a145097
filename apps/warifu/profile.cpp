#include "warifu/profile.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "base/ids.h"
#include "keystore/files.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;

Result<fs::path> profile_folder() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0')
    return fs::path(config) / "warifu";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".config" / "warifu";
  return invalid_input("profile.home", "neither HOME nor XDG_CONFIG_HOME is set: where should the profile be kept?");
}

Result<fs::path> profile_path(const std::string& name) {
  TRY(const auto label, Label::parse(name));
  TRY(const auto folder, profile_folder());
  return folder / (label.text() + ".json");
}

Result<ApiEndpoint> read_profile(const fs::path& path) {
  TRY(const auto text, keystore::read_file(path));
  TRY(const auto json, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(json));
  TRY(auto server, fields.required_string("server"));
  TRY(auto ca, fields.required_string("ca"));
  TRY(auto token, fields.required_string("access_token"));
  return ApiEndpoint{std::move(server), std::move(ca), std::move(token)};
}

}  // namespace

Status save_profile(const std::string& name, const ApiEndpoint& endpoint) {
  TRY(const auto path, profile_path(name));
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error)
    return Error{ErrorKind::kUnavailable, "profile.write",
                 fmt::format("cannot make {}: {}", path.parent_path().string(), error.message())};
  const std::string text = boost::json::serialize(boost::json::object{
      {"server", endpoint.server}, {"ca", endpoint.ca_pem}, {"access_token", endpoint.access_token}});
  return keystore::write_file(path, as_bytes(text), FileMode::kPrivate);
}

Result<ApiEndpoint> endpoint_before_login(const ConnectionSettings& settings) {
  ApiEndpoint endpoint{kDefaultServer, "", ""};
  TRY(const auto path, profile_path(settings.profile));
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    TRY(endpoint, read_profile(path));
  }
  if (settings.server) endpoint.server = *settings.server;
  while (endpoint.server.ends_with('/'))
    endpoint.server.pop_back();
  if (!endpoint.server.starts_with("https://"))
    return invalid_input("profile.server", fmt::format("the server is https://HOST:PORT, not \"{}\"", endpoint.server),
                         "--server");
  if (settings.ca_file) {
    TRY(endpoint.ca_pem, keystore::read_file(*settings.ca_file));
  }
  if (endpoint.ca_pem.empty())
    return invalid_input("profile.ca",
                         "which root certificate does the server's lead to? Use --ca DATA-DIR/trust/root.pem", "--ca");
  if (settings.access_token) endpoint.access_token = *settings.access_token;
  return endpoint;
}

Result<ApiEndpoint> endpoint(const ConnectionSettings& settings) {
  TRY(auto endpoint, endpoint_before_login(settings));
  if (endpoint.access_token.empty())
    return Error{ErrorKind::kUnauthenticated, "profile.token",
                 "nobody is logged in: use `warifu login --token-file FILE`"};
  return endpoint;
}

}  // namespace warifu::cli

#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "warifu/api_client.h"

namespace warifu::cli {

// What the command line says about the server; what it leaves open comes from the profile.
struct ConnectionSettings {
  std::optional<std::string> server;
  std::optional<std::string> ca_file;
  std::optional<std::string> access_token;
  std::string profile = "default";
};

constexpr const char* kDefaultServer = "https://127.0.0.1:9443";

// A profile is a file that only its owner may read: ~/.config/warifu/NAME.json with server, CA certificate and access
// token.
Status save_profile(const std::string& name, const ApiEndpoint& endpoint);

// For login: the token is not needed yet. kInvalidInput "profile.ca" if no root certificate is known.
Result<ApiEndpoint> endpoint_before_login(const ConnectionSettings& settings);
// For everything else. kUnauthenticated "profile.token" if there is none.
Result<ApiEndpoint> endpoint(const ConnectionSettings& settings);

}  // namespace warifu::cli

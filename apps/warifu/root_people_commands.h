#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "warifu/commands.h"
#include "warifu/root_secret.h"

// The root's desk with several people: who signs and who revokes, and what they signed taken back.
namespace warifu::cli {

struct RootKeysOptions {
  std::filesystem::path folder;
  std::filesystem::path out;
  std::uint32_t signing = 0;              // how many must sign; 0 leaves it as it is
  std::vector<std::string> signing_keys;  // FILE=SHA-256 of the key, beside the root's own key
  std::uint32_t revocation = 0;
  std::vector<std::string> revocation_keys;  // the same, in the place of the root's own
  RootSecretOptions secret;
};
Status change_bundle_keys(const Context& context, const RootKeysOptions& options);

struct RootAcceptOptions {
  std::filesystem::path folder;
  std::filesystem::path from;
  std::filesystem::path out;
};
Status accept_bundles(const Context& context, const RootAcceptOptions& options);

Status withdraw_bundle(const Context& context, const std::filesystem::path& folder);

}  // namespace warifu::cli

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "warifu/commands.h"
#include "warifu/root_secret.h"

// The desk of the organisation's root: works on a folder, without a server (docs/formats/root-dir.md).
namespace warifu::cli {

struct RootInitOptions {
  std::filesystem::path folder;
  std::string organisation;
  std::string curve = "P-384";
  NewRootSecretOptions secret;
};
Status init_root(const Context& context, const RootInitOptions& options);

struct RootSignOptions {
  std::filesystem::path folder;
  std::filesystem::path requests;  // a folder of *.csr
  std::filesystem::path out;       // gets root.pem, roles/NAME.pem and bundles/
  RootSecretOptions secret;
};
Status sign_roles(const Context& context, const RootSignOptions& options);

struct RootPublishOptions {
  std::filesystem::path folder;
  std::filesystem::path out;  // gets root.pem and bundles/
  std::uint32_t days = 365;
  RootSecretOptions secret;
};
// The next trust bundle, with nothing new but its end.
Status publish_bundle(const Context& context, const RootPublishOptions& options);

struct RootRotateOptions {
  std::filesystem::path folder;
  std::filesystem::path out;  // gets root.pem, roles/NAME.pem and bundles/
  bool finish = false;
  RootSecretOptions secret;
};
// A new root beside the old one, which stays until it is finished.
Status rotate_root(const Context& context, const RootRotateOptions& options);

struct RootRevokeOptions {
  std::filesystem::path folder;
  std::filesystem::path out;
  std::string role;
  std::string reason;
  RootSecretOptions secret;
};
Status revoke_role(const Context& context, const RootRevokeOptions& options);

struct RootPassphraseOptions {
  std::filesystem::path folder;
  RootSecretOptions old_secret;
  NewRootSecretOptions new_secret;
};
Status change_root_passphrase(const Context& context, const RootPassphraseOptions& options);

Status show_root(const Context& context, const std::filesystem::path& folder);

}  // namespace warifu::cli

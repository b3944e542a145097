#pragma once

#include <filesystem>
#include <string>

#include "warifu/commands.h"
#include "warifu/root_secret.h"

// One person's key that signs trust bundles beside the root, or revokes: works on a folder of that person's
// (docs/formats/root-dir.md, "Several people").
namespace warifu::cli {

struct BundleKeyInitOptions {
  std::filesystem::path folder;
  std::string organisation;
  std::string curve = "P-384";
  NewRootSecretOptions secret;
};
Status init_bundle_key(const Context& context, const BundleKeyInitOptions& options);

struct BundleKeyShowOptions {
  std::filesystem::path folder;
  std::filesystem::path from;  // what goes from person to person
};
// What is proposed, and what it would change.
Status show_proposed_bundle(const Context& context, const BundleKeyShowOptions& options);

struct BundleKeySignOptions {
  std::filesystem::path folder;
  std::filesystem::path from;
  std::string sha256;  // of the bundle, as the root's desk tells it
  RootSecretOptions secret;
};
Status sign_proposed_bundle(const Context& context, const BundleKeySignOptions& options);

struct BundleKeyRevokeOptions {
  std::filesystem::path folder;
  std::filesystem::path from;
  std::string role;
  std::string reason;
  RootSecretOptions secret;
};
Status revoke_by_bundle_key(const Context& context, const BundleKeyRevokeOptions& options);

Status show_bundle_key(const Context& context, const std::filesystem::path& folder);

}  // namespace warifu::cli

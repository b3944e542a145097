#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "warifud/options.h"

namespace warifu::warifud {

// What `warifud init` is asked for.
struct InitRequest {
  Place place;
  std::string organisation;
  std::vector<std::string> server_names;
  std::string key_backend = "file";
  std::filesystem::path roles_from;  // what an offline root signed; empty: a root is made
  bool json = false;
};

// Makes keys, certificates, database, ID scope and the first bootstrap token, and prints the last two.
Status init(const InitRequest& request);

// Serves until SIGTERM or SIGINT.
Status serve(const ServeOptions& options);

// Prints a new one-time token; works beside a running server.
Status make_bootstrap_token(const Place& place, bool json);

// Gives this node a new key and certificate for its names (or for `server_names`, if any).
Status renew_certificate(const Place& place, const std::vector<std::string>& server_names,
                         std::optional<std::int64_t> lifetime_seconds);

// Takes the trust bundles that the root's desk wrote into `from`, and for the signer in the data directory what else is
// there. A running server reads them at SIGHUP.
Status install_trust(const Place& place, const std::filesystem::path& from);

// Decrypts a package (CMS, DER) that `warifu device escrow --out` wrote, and prints what is in it.
Status open_escrow(const Place& place, const std::filesystem::path& file);

// Copies database, certificates and keys into a folder that must not exist yet, the master key under the passphrase.
Status backup(const Place& place, const std::filesystem::path& target, const std::filesystem::path& passphrase_file);
Status restore(const std::filesystem::path& source, const std::filesystem::path& data_dir,
               const std::filesystem::path& passphrase_file);

// Prints every route with who may use it: tests and auditors compare it with the documents.
Status print_routes(const Place& place, bool json);

}  // namespace warifu::warifud

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "bundle_shelf/bundle_shelf.h"
#include "crypto/certificate.h"
#include "pki/authority.h"
#include "signer/role_keys.h"
#include "signing_keys/key_backend.h"

namespace warifu::signer_app {

// What a signer is: signer.json.
struct Settings {
  std::string organisation;
  signing_keys::KeyBackend backend;
  std::map<pki::Role, signing_keys::KeyName> keys;  // what the key of each role is called in its place
  std::vector<std::string> server_names;            // what nodes may be called
};

// The signer's folder (docs/formats/signer-dir.md). Only its user may enter it.
class Folder {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path keys() const { return path_ / "keys"; }
  std::filesystem::path journal() const { return path_ / "journal"; }
  // The trust bundles that it was given.
  bundle_shelf::BundleShelf bundles() const { return bundle_shelf::BundleShelf(path_ / "bundles"); }
  // What an offline root is asked for.
  std::filesystem::path request(pki::Role role) const;

  // What another user writes here its own user could not read. kRefused "signer.user".
  Status check_user() const;

  // Makes the folders. kConflict "signer.exists" if there is a signer in it.
  Status create() const;
  Status write_settings(const Settings& settings) const;
  // kInvalidInput "signer.missing" if there is none, "signer.format".
  Result<Settings> read_settings() const;

  // What opens key files: the systemd credential "warifu-signer-unlock", else the file unlock.key. kInvalidInput
  // "signer.unlock.form" if it is not 32 bytes.
  Result<SecretBytes> read_unlock_secret() const;
  // The same; a new file if there is neither.
  Result<SecretBytes> make_unlock_secret(Entropy& entropy) const;

  Status write_root(const crypto::Certificate& root) const;
  Status write_role(pki::Role role, const crypto::Certificate& certificate) const;
  Status write_request(pki::Role role, std::string_view pem) const;
  // The root and the roles that have a certificate here. kNotFound "signer.waiting" while an offline root has certified
  // nothing.
  Result<signer::Organisation> read_organisation(const Settings& settings) const;

 private:
  std::filesystem::path path_;
};

}  // namespace warifu::signer_app

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"

namespace warifu::keystore {

struct NodeIdentity {
  crypto::PrivateKey key;
  std::vector<crypto::Certificate> chain;  // the leaf first
};

// The layout of a server's data directory (docs/formats/data-dir.md). Only the owner may enter it.
//   trust/root.pem            what devices and operators pin
//   trust/bundles/            the trust bundles that devices ask for (libs/bundle_shelf)
//   roles/NAME.pem            the certificates of the root's roles, whose keys the signer has
//   node/identity.pem         this server's key under the master key, its certificate and that of its issuer
//   secrets/master.key        32 random bytes; absent when systemd hands it over as the credential "warifu-master-key"
//   database/warifu.sqlite3
//   signer/, root/            the signer's folder and the root's, unless they are elsewhere; no server reads them
class DataDir {
 public:
  explicit DataDir(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "database" / "warifu.sqlite3"; }
  std::filesystem::path trust_root() const { return path_ / "trust" / "root.pem"; }
  std::filesystem::path trust_bundles() const { return path_ / "trust" / "bundles"; }
  std::filesystem::path master_key() const { return path_ / "secrets" / "master.key"; }
  std::filesystem::path signer() const { return path_ / "signer"; }
  std::filesystem::path root_desk() const { return path_ / "root"; }
  std::filesystem::path node_identity() const { return path_ / "node" / "identity.pem"; }

  // Makes the folders. kConflict "data_dir.exists" if there is a database or a node already.
  Status create() const;
  // kInvalidInput "data_dir.missing" if it was never initialised.
  Status check() const;

  Status write_trust_root(const crypto::Certificate& root) const;
  Result<crypto::Certificate> read_trust_root() const;

  // `name` is the role's.
  Status write_role_certificate(std::string_view name, const crypto::Certificate& certificate) const;
  Result<crypto::Certificate> read_role_certificate(std::string_view name) const;

  // A server node's identity is one file, so that key and certificate change together: the key, the leaf, the leaf's
  // issuer.
  Status write_node(const crypto::Certificate& leaf, const crypto::Certificate& issuer, const crypto::PrivateKey& key,
                    const SecretBytes& key_passphrase, Entropy& entropy) const;
  Result<std::vector<crypto::Certificate>> read_node_chain() const;
  Result<NodeIdentity> read_node(const SecretBytes& key_passphrase) const;

 private:
  std::filesystem::path path_;
};

}  // namespace warifu::keystore

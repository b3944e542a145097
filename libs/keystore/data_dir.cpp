#include "keystore/data_dir.h"

#include <fmt/format.h>

#include "keystore/files.h"

namespace warifu::keystore {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolders[] = {"trust", "roles", "node", "secrets", "database"};

}  // namespace

Status DataDir::create() const {
  std::error_code ignored;
  // A master key alone opens nothing yet.
  if (fs::exists(database(), ignored) || fs::exists(node_identity(), ignored))
    return Error{
        ErrorKind::kConflict, "data_dir.exists",
        fmt::format("{} holds an organisation already; choose another folder, or remove all of it but signer/, whose "
                    "keys a root may have certified",
                    path_.string())};
  TRY_STATUS(make_private_folder(path_));
  for (const char* folder : kFolders)
    TRY_STATUS(make_private_folder(path_ / folder));
  return {};
}

Status DataDir::check() const {
  std::error_code ignored;
  // Master key and database may lie elsewhere; this does not.
  if (fs::exists(node_identity(), ignored)) return {};
  return invalid_input("data_dir.missing",
                       fmt::format("{} holds no organisation; `warifud init --data-dir {} --org NAME` makes one",
                                   path_.string(), path_.string()));
}

Status DataDir::write_trust_root(const crypto::Certificate& root) const {
  return write_file(trust_root(), as_bytes(root.to_pem()), FileMode::kPublic);
}

Result<crypto::Certificate> DataDir::read_trust_root() const {
  TRY(const auto pem, read_file(trust_root()));
  return crypto::Certificate::from_pem(pem);
}

Status DataDir::write_role_certificate(std::string_view name, const crypto::Certificate& certificate) const {
  return write_file(path_ / "roles" / fmt::format("{}.pem", name), as_bytes(certificate.to_pem()), FileMode::kPublic);
}

Result<crypto::Certificate> DataDir::read_role_certificate(std::string_view name) const {
  TRY(const auto pem, read_file(path_ / "roles" / fmt::format("{}.pem", name)));
  return crypto::Certificate::from_pem(pem);
}

Status DataDir::write_node(const crypto::Certificate& leaf, const crypto::Certificate& issuer,
                           const crypto::PrivateKey& key, const SecretBytes& key_passphrase, Entropy& entropy) const {
  const std::string pem = key.to_encrypted_pem(key_passphrase, entropy) + leaf.to_pem() + issuer.to_pem();
  return write_file(node_identity(), as_bytes(pem), FileMode::kPrivate);
}

Result<std::vector<crypto::Certificate>> DataDir::read_node_chain() const {
  TRY(const auto pem, read_file(node_identity()));
  return crypto::Certificate::chain_from_pem(pem);
}

Result<NodeIdentity> DataDir::read_node(const SecretBytes& key_passphrase) const {
  TRY(const auto pem, read_file(node_identity()));
  TRY(auto key, crypto::PrivateKey::from_encrypted_pem(pem, key_passphrase));
  TRY(auto chain, crypto::Certificate::chain_from_pem(pem));
  return NodeIdentity{std::move(key), std::move(chain)};
}

}  // namespace warifu::keystore

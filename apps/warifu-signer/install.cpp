#include <fmt/format.h>

#include <optional>

#include "ceremony/role_request.h"
#include "keystore/files.h"
#include "warifu-signer/commands.h"
#include "warifu-signer/folder.h"

namespace warifu::signer_app {
namespace {

namespace fs = std::filesystem;
using bundle_shelf::BundleShelf;
using pki::Role;

bool was_written(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Result<crypto::Certificate> read_certificate(const fs::path& file) {
  TRY(const auto pem, keystore::read_file(file));
  return crypto::Certificate::from_pem(pem);
}

// What the root signed for the key that we asked it for.
Status check(Role role, const crypto::Certificate& certificate, const crypto::Certificate& root,
             const ceremony::RoleRequest& request) {
  TRY(const auto key, certificate.public_key());
  const bool is_ours =
      key == request.key && certificate.common_name() == fmt::format("{} {}", request.organisation, to_string(role));
  if (is_ours && certificate.issued_by(root)) return {};
  return refused("signer.install",
                 fmt::format("the certificate of {} is not what the root was asked for", to_string(role)));
}

Status check_is_root(const crypto::Certificate& root) {
  if (root.is_ca() && root.issued_by(root)) return {};
  return refused("signer.install", "root.pem is no root");
}

// What was asked for by files, and certified.
Result<std::map<Role, crypto::Certificate>> read_answers(const Folder& folder, const Settings& settings,
                                                         const fs::path& from, const crypto::Certificate& root) {
  std::map<Role, crypto::Certificate> certificates;
  for (const auto& [role, name] : settings.keys) {
    if (!was_written(folder.request(role))) continue;  // nothing was asked for
    TRY(const auto text, keystore::read_file(folder.request(role)));
    TRY(const auto request, ceremony::RoleRequest::parse(text));
    TRY(auto certificate, read_certificate(from / "roles" / fmt::format("{}.pem", to_string(role))));
    TRY_STATUS(check(role, certificate, root, request));
    certificates.emplace(role, std::move(certificate));
  }
  if (certificates.empty()) return refused("signer.install", "this signer asked no root for anything");
  return certificates;
}

// The first one: it is compared by people, not by a bundle.
Status install_first(const Folder& folder, const Settings& settings, const fs::path& from) {
  TRY(const auto root, read_certificate(from / "root.pem"));
  TRY_STATUS(check_is_root(root));
  TRY(const auto certificates, read_answers(folder, settings, from, root));
  if (was_written(from / "bundles")) {
    const BundleShelf theirs(from / "bundles");
    TRY_STATUS(theirs.newest_for(root));
    TRY_STATUS(folder.bundles().take_from(theirs));
  }
  for (const auto& [role, certificate] : certificates)
    TRY_STATUS(folder.write_role(role, certificate));
  return folder.write_root(root);
}

// Of this key, and of the oldest root that is still listed if there are several: devices that have followed nothing yet
// know none but that.
const crypto::Certificate* choose(const std::vector<crypto::Certificate>& listed, const crypto::PublicKey& key,
                                  const std::vector<crypto::Certificate>& roots) {
  for (const auto& root : roots)
    for (const auto& certificate : listed) {
      const auto certified = certificate.public_key();
      if (certified && *certified == key && certificate.issued_by(root)) return &certificate;
    }
  return nullptr;
}

// The key of a role, as it was certified or is waited for.
Result<std::optional<crypto::PublicKey>> key_of(const Folder& folder, const signer::Organisation& organisation,
                                                Role role) {
  const auto certified = organisation.roles.find(role);
  if (certified != organisation.roles.end()) {
    TRY(auto key, certified->second.public_key());
    return key;
  }
  if (!was_written(folder.request(role))) return std::nullopt;
  TRY(const auto text, keystore::read_file(folder.request(role)));
  TRY(auto request, ceremony::RoleRequest::parse(text));
  return std::move(request.key);
}

// The trust bundles say under which root the keys of this signer are certified now.
Status follow(const Folder& folder, const Settings& settings, const fs::path& from) {
  TRY(const auto before, folder.read_organisation(settings));
  const BundleShelf theirs(from / "bundles");
  TRY(const auto known, theirs.newest_for(before.root));
  if (!known)
    return refused("signer.install", fmt::format("no trust bundle is in {}: the root's desk writes them with --out",
                                                 theirs.folder().string()));
  TRY_STATUS(folder.bundles().take_from(theirs));
  TRY(const auto newest, folder.bundles().newest_for(before.root));
  if (newest->roots().empty()) return refused("signer.install", "all roots of the newest trust bundle are revoked");
  for (const auto& [role, name] : settings.keys) {
    TRY(const auto key, key_of(folder, before, role));
    if (!key) continue;
    TRY(const auto role_name, trust_bundle::RoleName::parse(to_string(role)));
    const auto listed = newest->role_certificates(role_name);
    const auto* chosen = choose(listed, *key, newest->roots());
    if (chosen != nullptr) {
      TRY_STATUS(folder.write_role(role, *chosen));
    } else {
      fmt::print(stderr, "note: trust bundle {} has no certificate of this signer's key of {}, or revokes it\n",
                 newest->version(), to_string(role));
    }
  }
  // Last: an attempt that did not end is begun anew from the root of before.
  return folder.write_root(newest->roots().front());
}

}  // namespace

Status install(const fs::path& path, const fs::path& from) {
  const Folder folder(path);
  TRY(const auto settings, folder.read_settings());
  TRY_STATUS(folder.check_user());
  return was_written(folder.path() / "root.pem") ? follow(folder, settings, from)
                                                 : install_first(folder, settings, from);
}

}  // namespace warifu::signer_app

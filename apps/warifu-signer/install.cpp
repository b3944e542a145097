#include <fmt/format.h>

#include <algorithm>
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

// What waits for signatures counts for nobody yet.
Status check_listed(const trust_bundle::TrustedBundle& bundle,
                    const std::map<Role, crypto::Certificate>& certificates) {
  for (const auto& [role, certificate] : certificates) {
    TRY(const auto name, trust_bundle::RoleName::parse(to_string(role)));
    if (!bundle.trusts_role(name, certificate))
      return refused("signer.install",
                     fmt::format("trust bundle {} does not list the certificate of {}: a later one may wait for "
                                 "signatures (warifu root accept --out)",
                                 bundle.version(), to_string(role)));
  }
  return {};
}

// The first one: it is compared by people, not by a bundle.
Status install_first(const Folder& folder, const Settings& settings, const fs::path& from) {
  TRY(const auto root, read_certificate(from / "root.pem"));
  TRY_STATUS(check_is_root(root));
  TRY(const auto certificates, read_answers(folder, settings, from, root));
  if (was_written(from / "bundles")) {
    const BundleShelf theirs(from / "bundles");
    TRY(const auto newest, theirs.newest_for(root));
    if (newest) TRY_STATUS(check_listed(*newest, certificates));
    TRY_STATUS(folder.bundles().take_from(theirs));
  }
  for (const auto& [role, certificate] : certificates)
    TRY_STATUS(folder.write_role(role, certificate));
  return folder.write_root(root);
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

// For each role whose key the bundle lists: the certificates of that key.
using Listed = std::map<Role, std::vector<crypto::Certificate>>;

Result<Listed> listed_in(const trust_bundle::TrustedBundle& bundle, const Folder& folder, const Settings& settings,
                         const signer::Organisation& organisation) {
  Listed listed;
  for (const auto& [role, name] : settings.keys) {
    TRY(const auto key, key_of(folder, organisation, role));
    if (!key) continue;
    TRY(const auto role_name, trust_bundle::RoleName::parse(to_string(role)));
    for (auto& certificate : bundle.role_certificates(role_name)) {
      TRY(const auto certified, certificate.public_key());
      if (certified == *key) listed[role].push_back(std::move(certificate));
    }
    if (!listed.contains(role))
      fmt::print(stderr, "note: trust bundle {} has no certificate of this signer's key of {}, or revokes it\n",
                 bundle.version(), to_string(role));
  }
  return listed;
}

const crypto::Certificate* issued_by(const crypto::Certificate& root,
                                     const std::vector<crypto::Certificate>& certificates) {
  const auto found = std::ranges::find_if(certificates, [&](const auto& one) { return one.issued_by(root); });
  return found == certificates.end() ? nullptr : &*found;
}

// The root that certified all of these keys (or the most, if none did), of several the oldest one: devices that have
// followed nothing yet know none but that. A key that was made while the root is changed has a certificate of the newer
// root alone.
const crypto::Certificate& root_above(const Listed& listed, const std::vector<crypto::Certificate>& roots) {
  const auto certified = [&](const crypto::Certificate& root) {
    return std::ranges::count_if(listed, [&](const auto& entry) { return issued_by(root, entry.second) != nullptr; });
  };
  return *std::ranges::max_element(roots, {}, certified);
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
  TRY(const auto listed, listed_in(*newest, folder, settings, before));
  const auto& root = root_above(listed, newest->roots());
  for (const auto& [role, certificates] : listed)
    if (const auto* certificate = issued_by(root, certificates); certificate != nullptr)
      TRY_STATUS(folder.write_role(role, *certificate));
  // Last: an attempt that did not end is begun anew from the root of before.
  return folder.write_root(root);
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

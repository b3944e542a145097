#include <fmt/format.h>

#include "ceremony/role_request.h"
#include "keystore/files.h"
#include "warifu-signer/commands.h"
#include "warifu-signer/folder.h"

namespace warifu::signer_app {
namespace {

namespace fs = std::filesystem;
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

// One that was certified before is the root of everything that was made since.
Status check_root(const Folder& folder, const crypto::Certificate& root) {
  if (!root.is_ca() || !root.issued_by(root)) return refused("signer.install", "root.pem is no root");
  if (!was_written(folder.path() / "root.pem")) return {};
  TRY(const auto before, read_certificate(folder.path() / "root.pem"));
  if (before.to_der() == root.to_der()) return {};
  return refused("signer.install", "this signer has another root; a root is changed by a rotation");
}

}  // namespace

Status install(const fs::path& path, const fs::path& from) {
  const Folder folder(path);
  TRY(const auto settings, folder.read_settings());
  TRY_STATUS(folder.check_user());
  TRY(const auto root, read_certificate(from / "root.pem"));
  TRY_STATUS(check_root(folder, root));
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
  for (const auto& [role, certificate] : certificates)
    TRY_STATUS(folder.write_role(role, certificate));
  return folder.write_root(root);
}

}  // namespace warifu::signer_app

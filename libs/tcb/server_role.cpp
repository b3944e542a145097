#include "tcb/server_role.h"

#include <fmt/format.h>

#include <array>

namespace warifu::tcb {
namespace {

using trust_bundle::TrustedBundle;

trust_bundle::RoleName server_role() {
  return trust_bundle::RoleName::parse("server-communication").value();
}

Error revoked(const crypto::Certificate& certificate, const TrustedBundle& bundle,
              const trust_bundle::Revoked& revocation) {
  return refused(
      "tcb.server.revoked",
      fmt::format("trust bundle {} revokes the key of \"{}\" ({}, {}): whoever shows it is not the server",
                  bundle.version(), certificate.subject(), to_string(revocation.reason), to_rfc3339(revocation.at)));
}

// Says why, where it is because of a revocation: somebody has to know whether to look for a thief.
Status check_not_revoked(std::span<const crypto::Certificate> path, const TrustedBundle& bundle) {
  const crypto::Certificate& leaf = path.front();
  for (const crypto::Certificate& certificate : path) {
    if (&certificate != &leaf && !leaf.issued_by(certificate)) continue;
    const auto key = certificate.public_key();
    if (!key) continue;
    if (const auto* revocation = bundle.revocation_of(*key)) return revoked(certificate, bundle, *revocation);
  }
  for (const auto& role : bundle.contents().roles)
    for (const auto& listed : role.certificates) {
      const auto* revocation = bundle.contents().revocation_of(listed.key);
      if (revocation != nullptr && leaf.issued_by(listed.certificate))
        return revoked(listed.certificate, bundle, *revocation);
    }
  return {};
}

}  // namespace

Status verify_server_role(std::span<const crypto::Certificate> path, const TrustedBundle& bundle,
                          const crypto::ServerUse& use, crypto::PathTime time) {
  const crypto::Certificate& leaf = path.front();
  TRY_STATUS(check_not_revoked(path, bundle));
  Status last = refused("crypto.path.issuer",
                        fmt::format("the certificate of \"{}\" was not issued by a role {} of trust bundle {}",
                                    leaf.subject(), server_role().text(), bundle.version()));
  for (const auto& role : bundle.role_certificates(server_role())) {
    if (!leaf.issued_by(role)) continue;
    for (const auto& root : bundle.roots()) {
      if (!role.issued_by(root)) continue;
      const std::array shown = {leaf.clone(), role.clone()};
      last = crypto::verify_certificate_path(shown, root, use, time);
      if (last) return {};
    }
  }
  return last;
}

}  // namespace warifu::tcb

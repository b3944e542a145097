#include "warifud/trust.h"

#include <fmt/format.h>

#include <algorithm>

#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"
#include "warifud/own_signer.h"

namespace warifu::warifud {
namespace {

using bundle_shelf::BundleShelf;
using trust_bundle::RoleName;

// An operator has so long to bring the next one.
constexpr std::chrono::days kEndIsNear{30};

}  // namespace

RoleName server_role() {
  return RoleName::parse(to_string(pki::Role::kServerCommunication)).value();
}

Result<Trust> Trust::read(const keystore::DataDir& data_dir) {
  const BundleShelf shelf(data_dir.trust_bundles());
  Trust trust;
  TRY(trust.bundles, shelf.read());
  if (trust.bundles.empty()) return trust;
  TRY(const auto root, data_dir.read_trust_root());
  TRY(trust.newest, shelf.newest_for(root));
  return trust;
}

Status Trust::check_role(const crypto::Certificate& certificate) const {
  if (!newest) return {};
  TRY(const auto key, certificate.public_key());
  const auto* revoked = newest->revocation_of(key);
  const auto& roots = newest->contents().roots;
  const auto issuer =
      std::ranges::find_if(roots, [&](const auto& root) { return certificate.issued_by(root.certificate); });
  if (revoked == nullptr && issuer != roots.end()) revoked = newest->contents().revocation_of(issuer->key);
  if (revoked == nullptr) return {};
  return refused(
      "trust.revoked",
      fmt::format("trust bundle {} revokes the key of \"{}\", or of the root that issued it ({}, {}): bring "
                  "a certificate of another key (operators' guide, \"A stolen key\")",
                  newest->version(), certificate.subject(), to_string(revoked->reason), to_rfc3339(revoked->at)));
}

Status Trust::check_chain(std::span<const crypto::Certificate> chain) const {
  for (const auto& certificate : chain.subspan(std::min<std::size_t>(1, chain.size())))
    TRY_STATUS(check_role(certificate));
  return {};
}

std::vector<std::string> Trust::warnings(std::span<const crypto::Certificate> chain, Timestamp now) const {
  if (!newest)
    return {
        "this server has no trust bundle: devices learn of no stolen key and of no new root (warifud trust "
        "install)"};
  std::vector<std::string> all;
  const Timestamp end = newest->contents().expires_at;
  if (now >= end - kEndIsNear)
    all.push_back(fmt::format("trust bundle {} {} at {}: publish the next one (warifu root publish)", newest->version(),
                              now >= end ? "ended" : "ends", to_rfc3339(end)));
  const auto listed = newest->role_certificates(server_role());
  const auto is_above = [&](const auto& role) { return !chain.empty() && chain.front().issued_by(role); };
  if (std::ranges::none_of(listed, is_above))
    all.push_back(
        fmt::format("trust bundle {} does not list the role that certified this server: devices that follow "
                    "it refuse this server",
                    newest->version()));
  return all;
}

Status take_bundles(const keystore::DataDir& data_dir, const BundleShelf& from, const crypto::Certificate& root) {
  TRY(const auto newest, from.newest_for(root));
  if (newest && !newest->trusts_root(root))
    return refused("trust.root", fmt::format("trust bundle {} in {} does not list the root \"{}\" of this server any "
                                             "more: its signer takes what belongs to it first (warifu-signer install)",
                                             newest->version(), from.folder().string(), root.subject()));
  TRY_STATUS(BundleShelf(data_dir.trust_bundles()).take_from(from));
  return {};
}

}  // namespace warifu::warifud

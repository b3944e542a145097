#pragma once

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string_view>

#include "bundle_shelf/bundle_shelf.h"
#include "ceremony/root_folder.h"

namespace warifu::ceremony {

using bundle_shelf::BundleShelf;

inline constexpr std::chrono::days kBundleLifetime{365};

// Makes an organisation's trust bundles at the root's desk: what changes, who signs. Each is in the journal before it
// is on the shelf.
class BundleDesk {
 public:
  // `root`, `clock` and `shelf` outlive it.
  BundleDesk(const RootFolder& root, const BundleShelf& shelf, const Clock& clock)
      : root_(root), shelf_(shelf), clock_(clock) {}

  // The first bundle, or the next: with these certificates of roles, and good for a while again. A new certificate of a
  // key takes the place of the old one under the same root; other keys of the role stay until they are revoked.
  Status publish(const std::map<pki::Role, crypto::Certificate>& certificates,
                 std::chrono::days lifetime = kBundleLifetime) const;
  // Makes `next`, which this root has prepared, a root beside those that are listed, and the one that signs from now
  // on. It certifies every key of a role that is not revoked, so that whoever knows one of the roots knows the roles.
  // Signed by both; the certificates of `next`. kNotFound "root.bundles" when there is no bundle yet.
  Result<std::map<pki::Role, crypto::Certificate>> rotate_to(const RootFolder& next, Entropy& entropy,
                                                             std::chrono::days lifetime = kBundleLifetime) const;
  // Takes every root but this one out of the bundle, and what the others certified. kConflict "root.rotate" when there
  // is none but this one.
  Status finish_rotation(std::chrono::days lifetime = kBundleLifetime) const;
  // Takes a role's keys out of use, by the master revocation key alone. kNotFound "root.role" when the bundle has none
  // of that role that is not revoked.
  Status revoke(pki::Role role, trust_bundle::Reason reason) const;

 private:
  Status add(const trust_bundle::Contents& contents, std::string_view action,
             std::initializer_list<const crypto::Signer*> signers) const;
  // What comes after the newest, so far with nothing changed but version and times.
  Result<trust_bundle::Contents> next_contents(std::chrono::days lifetime) const;

  const RootFolder& root_;
  const BundleShelf& shelf_;
  const Clock& clock_;
};

}  // namespace warifu::ceremony

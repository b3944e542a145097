#pragma once

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>

#include "ceremony/handover.h"
#include "ceremony/root_folder.h"

namespace warifu::ceremony {

inline constexpr std::chrono::days kBundleLifetime{365};

// Keys of other people, and how many must sign.
struct OtherKeys {
  std::size_t threshold;
  std::vector<crypto::PublicKey> keys;
};

// Makes an organisation's trust bundles at the root's desk: what changes, who signs. Each is in the journal before it
// is on the shelf. One that other people must sign too waits beside the shelf (handover.h), and nothing but revoke()
// makes another one meanwhile: kConflict "root.proposed". kRefused "bundle.signatures" when too many of them are
// revoked.
class BundleDesk {
 public:
  // `root` and `clock` outlive it.
  BundleDesk(const RootFolder& root, const Clock& clock) : root_(root), table_(root.path()), clock_(clock) {}

  const BundleShelf& shelf() const { return table_.bundles(); }
  // What waits for signatures.
  Result<std::optional<Proposal>> proposal() const { return table_.proposal(); }

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
  // Who signs bundles beside this root, and who revokes in the place of its own revocation key, which is destroyed when
  // the bundle is on the shelf. nullopt leaves them as they are.
  Status change_keys(const std::optional<OtherKeys>& signing, const std::optional<OtherKeys>& revocation,
                     std::chrono::days lifetime = kBundleLifetime) const;
  // Takes a role's keys out of use, by the master revocation key alone. kNotFound "root.role" when the bundle has none
  // of that role that is not revoked; kRefused "root.revocation" when other people have the keys that revoke.
  Status revoke(pki::Role role, trust_bundle::Reason reason) const;

 private:
  Status add(const trust_bundle::Contents& contents, std::string_view action,
             std::initializer_list<const crypto::Signer*> signers) const;
  // What comes after the newest, so far with nothing changed but version and times.
  Result<trust_bundle::Contents> next_contents(std::chrono::days lifetime) const;

  const RootFolder& root_;
  Handover table_;
  const Clock& clock_;
};

}  // namespace warifu::ceremony

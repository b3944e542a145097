#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "bundle_shelf/bundle_shelf.h"

namespace warifu::ceremony {

using bundle_shelf::BundleShelf;

// A bundle that waits for signatures: what it says, and who must sign it yet.
struct Proposal {
  trust_bundle::Envelope envelope;
  trust_bundle::Payload payload;
  std::vector<trust_bundle::Quorum> quorums;

  // kRefused: the errors of TrustedBundle::signatures_of_next().
  static Result<Proposal> after(const trust_bundle::TrustedBundle& newest, trust_bundle::Envelope envelope);
  bool is_whole() const;
  // Of those who revoke, and nobody else.
  bool is_revocation() const;
  // Whose signatures are asked for, and not there; a key may be named twice.
  std::vector<trust_bundle::KeyId> waits_for() const;
  // kRefused "bundle.signatures" when it could not become whole even if all signed: too many keys are revoked.
  Status check_possible() const;
};

// A folder of bundles in which the next one may wait for signatures: the root's own, and the one that goes from person
// to person in a ceremony (docs/formats/root-dir.md, "Several people").
//   bundles/          all of them, from the first (bundle_shelf.h)
//   proposed.json     the one after the newest, while signatures of it are missing
class Handover {
 public:
  explicit Handover(const std::filesystem::path& folder);

  const BundleShelf& bundles() const { return bundles_; }
  // Judged after `newest`, and its signatures counted. nullopt when none waits, or when it is of a version that there
  // is already: another bundle came in its place. The errors of Proposal::after().
  Result<std::optional<Proposal>> proposal(const std::optional<trust_bundle::TrustedBundle>& newest) const;
  // After the newest one of this folder.
  Result<std::optional<Proposal>> proposal() const;
  // kConflict "root.proposed": whoever goes on without it has two bundles of one version about.
  Status check_nothing_waits() const;

  // In the place of what waited.
  Status propose(const trust_bundle::Envelope& envelope) const;
  // Also when nothing waits.
  Status withdraw() const;
  // All of it, for whoever is to have or to sign it. kConflict "root.handover" when something is there that is not here
  // yet, bundles or signatures: it would be lost. kRefused "bundle.fork".
  Status copy_to(const std::filesystem::path& folder) const;
  // The same question, before something is made that is to be copied there.
  Status check_copy_to(const std::filesystem::path& folder) const;
  // On the shelf with it when it is whole, else it waits here.
  Status settle(const Proposal& proposal) const;

 private:
  std::filesystem::path file_;
  BundleShelf bundles_;
};

}  // namespace warifu::ceremony

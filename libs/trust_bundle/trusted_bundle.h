#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "crypto/certificate.h"
#include "trust_bundle/certificates.h"
#include "trust_bundle/envelope.h"
#include "trust_bundle/quorum.h"

namespace warifu::trust_bundle {

struct Progress;

// A bundle that is believed, and why: by a pinned root, by the bundle before it, or by its digest in an anchor. It does
// not change, and copies share it.
class TrustedBundle {
 public:
  // The first one that somebody believes: `pinned_root` is among its roots and not revoked, and it is signed by that
  // root's key and by its own signing keys. Codes, kRefused: "bundle.pinned-root", "bundle.signatures",
  // "bundle.revoked-key"; those of Payload::parse() and verify_certificates().
  static Result<TrustedBundle> begin(const Envelope& envelope, const crypto::Certificate& pinned_root);
  // One that was believed before, by what was kept of it out of everybody's reach: no signature is asked for.
  // kRefused "bundle.anchor" when it is another one.
  static Result<TrustedBundle> resume(const Envelope& envelope, const crypto::Digest& anchored);

  // The bundle after this one; nothing when it is this one. Time is not looked at (check_fresh()): one that has expired
  // may lead to one that has not. Codes, kRefused: "bundle.rollback", "bundle.fork", "bundle.gap" (of which nothing is
  // proved: anybody can make up such an envelope), "bundle.organisation", "bundle.issued-at", "bundle.unrevoked",
  // "bundle.revoked-key", "bundle.signatures"; those of Payload::parse() and verify_certificates().
  Result<std::optional<TrustedBundle>> advance(const Envelope& next) const;
  // One after another, up to the first that is refused.
  Progress advance_through(std::span<const Envelope> following) const;

  // kRefused "bundle.expired": somebody may be holding back a newer one. A time before issued_at is a clock that is
  // behind, and counts as issued_at, when no bundle had expired. What else is known of the time (when the program was
  // built, what was seen before) is for the caller to put in: the latest of all counts.
  Status check_fresh(Timestamp now) const;

  const Contents& contents() const { return state_->payload.contents(); }
  std::uint64_t version() const { return contents().version; }
  // SHA-256 of the payload's bytes: what an anchor keeps.
  const crypto::Digest& digest() const { return state_->digest; }

  // Without those whose key is revoked. Periods of validity are for the caller, here and below.
  const std::vector<crypto::Certificate>& roots() const { return state_->certificates.roots; }
  // This very certificate is one of them.
  bool trusts_root(const crypto::Certificate& certificate) const;
  // Without those whose key, or whose root's key, is revoked; empty for a role that is not there.
  std::vector<crypto::Certificate> role_certificates(const RoleName& role) const;
  // This very certificate is one of them.
  bool trusts_role(const RoleName& role, const crypto::Certificate& certificate) const;
  // In whatever encoding the key comes. nullptr when it is not revoked; it lives as long as the bundle.
  const Revoked* revocation_of(const crypto::PublicKey& key) const;
  bool is_revoked(const crypto::PublicKey& key) const { return revocation_of(key) != nullptr; }

  // For those who sign: whose signatures begin() and advance() would ask for, and how many are there. The other errors
  // are those of begin() and advance(); kRefused "bundle.gap" for this very bundle, too.
  static Result<std::vector<Quorum>> signatures_of_first(const Envelope& envelope,
                                                         const crypto::Certificate& pinned_root);
  Result<std::vector<Quorum>> signatures_of_next(const Envelope& next) const;

 private:
  struct State {
    Payload payload;
    crypto::Digest digest;
    Certificates certificates;
  };
  explicit TrustedBundle(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  static Result<TrustedBundle> believe(Payload payload);
  Result<std::vector<Quorum>> count_for(const Contents& next, const Envelope& envelope) const;

  std::shared_ptr<const State> state_;
};

// How far advance_through() came.
struct Progress {
  TrustedBundle reached;
  std::size_t taken;           // envelopes, this very bundle included
  std::optional<Error> error;  // why not further
};

}  // namespace warifu::trust_bundle

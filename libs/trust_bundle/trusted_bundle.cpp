#include "trust_bundle/trusted_bundle.h"

#include <fmt/format.h>

#include <algorithm>

#include "trust_bundle/step.h"

namespace warifu::trust_bundle {
namespace {

Error not_the_pinned_root(std::string message) {
  return refused("bundle.pinned-root", std::move(message), "roots");
}

// The pinned root's key as a group of one.
Result<KeySet> pinned_key(const Contents& contents, const crypto::Certificate& pinned_root) {
  TRY(const auto pinned, Listed::of(pinned_root));
  if (std::ranges::find(contents.roots, pinned) == contents.roots.end())
    return not_the_pinned_root(fmt::format("expected \"{}\" with the SHA-256 {}, which is not among them",
                                           pinned_root.subject(), to_hex(pinned_root.fingerprint_sha256().bytes())));
  if (contents.revocation_of(pinned.key) != nullptr)
    return not_the_pinned_root(fmt::format("the key of \"{}\" is revoked by this very bundle", pinned_root.subject()));
  TRY(const auto key, pinned_root.public_key());
  auto signing_key = SigningKey::of(key);
  if (!signing_key) return not_the_pinned_root(fmt::format("the pinned root: {}", to_string(signing_key.error())));
  KeySet alone{.threshold = 1, .keys = {}};
  alone.keys.push_back(std::move(*signing_key));
  return alone;
}

Result<std::vector<Quorum>> count_for_first(const Contents& contents, const Envelope& envelope,
                                            const crypto::Certificate& pinned_root) {
  TRY(const auto root, pinned_key(contents, pinned_root));
  TRY_STATUS(check_none_revoked(contents.signing, contents, "signing.keys"));
  return std::vector<Quorum>{count_signatures(Signers::kPinnedRoot, root, contents, envelope),
                             count_signatures(Signers::kOwnSigning, contents.signing, contents, envelope)};
}

}  // namespace

// Signatures come first: nobody else has this program try those of many certificates.
Result<TrustedBundle> TrustedBundle::believe(Payload payload) {
  TRY(auto certificates, verify_certificates(payload.contents()));
  const auto digest = payload.digest();
  return TrustedBundle(std::make_shared<const State>(State{std::move(payload), digest, std::move(certificates)}));
}

Result<TrustedBundle> TrustedBundle::begin(const Envelope& envelope, const crypto::Certificate& pinned_root) {
  TRY(auto payload, Payload::parse(envelope.payload()));
  TRY(const auto quorums, count_for_first(payload.contents(), envelope, pinned_root));
  TRY_STATUS(expect_met(quorums));
  return believe(std::move(payload));
}

Result<TrustedBundle> TrustedBundle::resume(const Envelope& envelope, const crypto::Digest& anchored) {
  TRY(auto payload, Payload::parse(envelope.payload()));
  if (payload.digest() != anchored)
    return refused("bundle.anchor", fmt::format("expected the bundle {}, {} came", to_hex(anchored.bytes()),
                                                to_hex(payload.digest().bytes())));
  return believe(std::move(payload));
}

Result<std::vector<Quorum>> TrustedBundle::count_for(const Contents& next, const Envelope& envelope) const {
  TRY(const auto demands, judge_step(contents(), next));
  std::vector<Quorum> quorums;
  // A key that the next bundle revokes signs nothing more, but that it may revoke itself: this a thief may do, too.
  if (demands.revocation)
    quorums.push_back(count_signatures(Signers::kCurrentRevocation, contents().revocation, contents(), envelope));
  if (!demands.signing) return quorums;
  quorums.push_back(count_signatures(Signers::kCurrentSigning, contents().signing, next, envelope));
  quorums.push_back(count_signatures(Signers::kOwnSigning, next.signing, next, envelope));
  return quorums;
}

Result<std::optional<TrustedBundle>> TrustedBundle::advance(const Envelope& next) const {
  TRY(auto payload, Payload::parse(next.payload()));
  TRY_STATUS(check_version(state_->payload, payload));
  if (payload.contents().version == version()) return std::optional<TrustedBundle>();
  TRY(const auto quorums, count_for(payload.contents(), next));
  TRY_STATUS(expect_met(quorums));
  TRY(auto advanced, believe(std::move(payload)));
  return std::optional(std::move(advanced));
}

Progress TrustedBundle::advance_through(std::span<const Envelope> following) const {
  Progress progress{.reached = *this, .taken = 0, .error = std::nullopt};
  for (const Envelope& next : following) {
    auto step = progress.reached.advance(next);
    if (!step) {
      progress.error = std::move(step).error();
      return progress;
    }
    if (*step) progress.reached = std::move(**step);
    ++progress.taken;
  }
  return progress;
}

Result<std::vector<Quorum>> TrustedBundle::signatures_of_first(const Envelope& envelope,
                                                               const crypto::Certificate& pinned_root) {
  TRY(const auto payload, Payload::parse(envelope.payload()));
  TRY_STATUS(verify_certificates(payload.contents()));
  return count_for_first(payload.contents(), envelope, pinned_root);
}

Result<std::vector<Quorum>> TrustedBundle::signatures_of_next(const Envelope& next) const {
  TRY(const auto payload, Payload::parse(next.payload()));
  TRY_STATUS(check_version(state_->payload, payload));
  if (payload.contents().version == version())
    return refused("bundle.gap", fmt::format("expected version {}, {} came, which is here", version() + 1, version()),
                   "version");
  TRY_STATUS(verify_certificates(payload.contents()));
  return count_for(payload.contents(), next);
}

Status TrustedBundle::check_fresh(Timestamp now) const {
  if (now < contents().expires_at) return {};
  return refused("bundle.expired",
                 fmt::format("version {} ended at {}, and it is {}: a newer one is needed", version(),
                             to_rfc3339(contents().expires_at), to_rfc3339(now)),
                 "expires_at");
}

}  // namespace warifu::trust_bundle

#include "trust_bundle/step.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::trust_bundle {
namespace {

// A revocation says that somebody else may have the key, which does not become untrue.
Status check_still_revoked(const Contents& current, const Contents& next) {
  for (const Revoked& entry : current.revoked) {
    const Revoked* kept = next.revocation_of(entry.key);
    if (kept != nullptr && *kept == entry) continue;
    return refused("bundle.unrevoked",
                   fmt::format("expected the entry for the key {} as it was: it {}", entry.key.hex(),
                               kept == nullptr ? "is gone" : "was changed"),
                   "revoked");
  }
  return {};
}

bool differs_in_revocations_alone(const Contents& a, const Contents& b) {
  return a.expires_at == b.expires_at && a.signing == b.signing && a.revocation == b.revocation && a.roots == b.roots &&
         a.roles == b.roles;
}

}  // namespace

Status check_none_revoked(const KeySet& set, const Contents& contents, std::string where) {
  const auto revoked =
      std::ranges::find_if(set.keys, [&](const SigningKey& key) { return contents.revocation_of(key.id) != nullptr; });
  if (revoked == set.keys.end()) return {};
  return refused("bundle.revoked-key",
                 fmt::format("expected keys that are not revoked; {} is, by this very bundle", revoked->id.hex()),
                 std::move(where));
}

Status check_version(const Payload& current, const Payload& next) {
  const std::uint64_t known = current.contents().version;
  const std::uint64_t came = next.contents().version;
  if (came < known)
    return refused("bundle.rollback", fmt::format("expected version {}, {} came, which is older", known + 1, came),
                   "version");
  if (came > known + 1)
    return refused("bundle.gap", fmt::format("expected version {}, {} came: those between are needed", known + 1, came),
                   "version");
  if (came == known && current.digest() != next.digest())
    return refused("bundle.fork",
                   fmt::format("version {} is the bundle {}; another one came, {}", known,
                               to_hex(current.digest().bytes()), to_hex(next.digest().bytes())),
                   "version");
  return {};
}

Result<Demands> judge_step(const Contents& current, const Contents& next) {
  if (next.organisation != current.organisation)
    return refused("bundle.organisation",
                   fmt::format("expected \"{}\", \"{}\" came", current.organisation, next.organisation),
                   "organisation");
  if (next.issued_at < current.issued_at)
    return refused(
        "bundle.issued-at",
        fmt::format("expected {} or later, {} came", to_rfc3339(current.issued_at), to_rfc3339(next.issued_at)),
        "issued_at");
  TRY_STATUS(check_still_revoked(current, next));
  const bool revokes = next.revoked.size() > current.revoked.size();
  if (revokes && differs_in_revocations_alone(current, next)) return Demands{.signing = false, .revocation = true};
  TRY_STATUS(check_none_revoked(next.signing, next, "signing.keys"));
  const bool has_same_revocation_keys = next.revocation == current.revocation;
  if (!has_same_revocation_keys) TRY_STATUS(check_none_revoked(next.revocation, next, "revocation.keys"));
  return Demands{.signing = true, .revocation = revokes || !has_same_revocation_keys};
}

}  // namespace warifu::trust_bundle

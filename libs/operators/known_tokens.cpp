#include "operators/known_tokens.h"

#include "base/bytes.h"
#include "operators/token.h"

namespace warifu::operators {
namespace {

// More than there are programs that ask all the time; half a MiB.
constexpr std::size_t kTokensMax = 1024;
constexpr std::chrono::seconds kKnownFor{1};

// The token itself is not kept: memory that is dumped must not let anybody in.
std::optional<std::string> digest_in(std::string_view authorization) {
  const auto token = bearer_token(authorization);
  if (!token) return std::nullopt;
  const auto digest = digest_of(TokenKind::kAccess, *token);
  if (!digest) return std::nullopt;
  return std::string(as_text(*digest));
}

}  // namespace

std::optional<Principal> KnownTokens::find(std::string_view authorization, std::uint64_t version, Timestamp now) {
  const auto digest = digest_in(authorization);
  if (!digest) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (version != version_) return std::nullopt;
  const auto found = known_.find(*digest);
  if (found == known_.end()) return std::nullopt;
  const auto& [principal, looked_up_at] = found->second;
  const bool is_fresh = looked_up_at <= now && now - looked_up_at < kKnownFor;
  if (!is_fresh || *principal.expires_at <= now) return std::nullopt;
  return principal;
}

void KnownTokens::keep(std::string_view authorization, std::uint64_t version, const Principal& principal,
                       Timestamp now) {
  const auto digest = digest_in(authorization);
  if (!digest || !principal.expires_at) return;
  const std::lock_guard lock(mutex_);
  if (version < version_) return;
  if (version > version_ || known_.size() >= kTokensMax) known_.clear();
  version_ = version;
  known_.insert_or_assign(*digest, Known{principal, now});
}

std::size_t KnownTokens::size() {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace warifu::operators

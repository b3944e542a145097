#include "operators/desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "operators/service_key.h"
#include "operators/token.h"

namespace warifu::operators {
namespace {

constexpr std::size_t kServiceKeySize = 32;

Error bootstrap_refused(std::string_view code, std::string message) {
  return {ErrorKind::kUnauthenticated, code,
          fmt::format("{}; `warifud bootstrap-token --data-dir DIR` makes a new one", message)};
}

std::string removed(std::size_t count) {
  return fmt::format(R"({{"removed":{}}})", count);
}

}  // namespace

Result<std::string> Desk::issue_bootstrap_token(Records& records, audit::Trail& trail, const ScopeId& scope) const {
  const Timestamp expires_at = clock_.now() + kBootstrapLifetime;
  std::string token = make_token(TokenKind::kBootstrap, entropy_);
  TRY(auto digest, digest_of(TokenKind::kBootstrap, token));
  TRY_STATUS(records.insert_bootstrap_token({std::move(digest), scope, expires_at, /*used_at=*/std::nullopt}));
  TRY_STATUS(trail.record(scope, {"system", "bootstrap-token.create", "bootstrap-token",
                                  fmt::format(R"({{"expires_at":"{}"}})", to_rfc3339(expires_at))}));
  return token;
}

Result<IssuedToken> Desk::login(Records& records, audit::Trail& trail, const LoginRequest& request) const {
  if (request.lifetime <= std::chrono::seconds(0) || request.lifetime > kAccessLifetimeMax)
    return invalid_input("login.lifetime",
                         fmt::format("an access token lives for 1 to {} seconds, {} were asked for",
                                     std::chrono::seconds(kAccessLifetimeMax).count(), request.lifetime.count()));
  TRY(const auto digest, digest_of(TokenKind::kBootstrap, request.bootstrap_token));
  TRY(const auto bootstrap, records.find_bootstrap_token(digest));
  const Timestamp now = clock_.now();
  if (!bootstrap) return bootstrap_refused("bootstrap.unknown", "this bootstrap token is not one of this server's");
  if (bootstrap->used_at)
    return bootstrap_refused("bootstrap.used",
                             fmt::format("this bootstrap token was used at {}", to_rfc3339(*bootstrap->used_at)));
  if (bootstrap->expires_at <= now)
    return bootstrap_refused("bootstrap.expired",
                             fmt::format("this bootstrap token expired at {}", to_rfc3339(bootstrap->expires_at)));
  TRY_STATUS(records.use_bootstrap_token(digest, now));

  std::string text = make_token(TokenKind::kAccess, entropy_);
  TRY(auto access_digest, digest_of(TokenKind::kAccess, text));
  AccessToken token{
      std::move(access_digest), bootstrap->scope, Uuid::v7(now, entropy_), request.name, request.permissions, now,
      now + request.lifetime};
  TRY_STATUS(records.insert_access_token(token));
  TRY_STATUS(trail.record(
      token.scope,
      {fmt::format("operator:{}", token.name.text()), "operator.login", fmt::format("token:{}", token.token_id.text()),
       fmt::format(R"({{"expires_at":"{}","permissions":"{}"}})", to_rfc3339(token.expires_at),
                   fmt::join(token.permissions.names(), " "))}));
  return IssuedToken{std::move(text), std::move(token)};
}

Result<IssuedServiceKey> Desk::create_service_key(Records& records, audit::Trail& trail, const Principal& who,
                                                  const ServiceKeyRequest& request) const {
  const Permissions permissions =
      request.permissions.value_or(Permissions::of_service_api().common_with(who.permissions));
  if (permissions.empty() || !who.permissions.contains_all(permissions))
    return Error{ErrorKind::kRefused, "service_key.permissions",
                 fmt::format("a key can be given some of your own permissions only: {}",
                             fmt::join(who.permissions.names(), ", "))};
  TRY(const auto there, records.list_service_keys(who.scope, kServiceKeysMax));
  if (std::ranges::any_of(there, [&](const ServiceKey& key) { return key.name == request.name; }))
    return Error{ErrorKind::kConflict, "service_key.exists",
                 fmt::format("a service key named {} exists", request.name.text())};
  if (there.size() >= kServiceKeysMax)
    return Error{ErrorKind::kConflict, "service_key.too_many",
                 fmt::format("there are {} service keys, which is the limit: delete one", there.size())};
  auto key = SecretBytes::random(entropy_, kServiceKeySize);
  TRY_STATUS(records.insert_service_key({who.scope, request.name,
                                         seal_service_key(envelope_key_, who.scope, request.name, key, entropy_),
                                         permissions, clock_.now()}));
  TRY_STATUS(
      trail.record(who.scope, {who.actor(), "service-key.create", fmt::format("service-key:{}", request.name.text()),
                               fmt::format(R"({{"permissions":"{}"}})", fmt::join(permissions.names(), " "))}));
  return IssuedServiceKey{request.name, permissions, std::move(key)};
}

Status Desk::remove_service_key(Records& records, audit::Trail& trail, const Principal& who, const Label& name) const {
  TRY_STATUS(records.remove_service_key(who.scope, name));
  return trail.record(who.scope, {who.actor(), "service-key.delete", fmt::format("service-key:{}", name.text()), "{}"});
}

Status Desk::purge(Records& records, audit::Trail& trail, const ScopeId& scope, std::chrono::seconds kept) const {
  const Timestamp now = clock_.now();
  TRY(const std::size_t tokens, records.purge_tokens(scope, now - kept));
  if (tokens != 0) TRY_STATUS(trail.record(scope, {"system", "token.purge", "tokens", removed(tokens)}));
  TRY(const std::size_t answers, records.purge_idempotent_answers(scope, now - kIdempotencyKept));
  if (answers == 0) return {};
  return trail.record(scope, {"system", "idempotency.purge", "idempotency-keys", removed(answers)});
}

}  // namespace warifu::operators

#include "operators/authenticator.h"

#include <fmt/format.h>

#include "operators/token.h"

namespace warifu::operators {
namespace {

constexpr std::string_view kBearer = "Bearer ";

}  // namespace

Result<Principal> Authenticator::authenticate(RecordsView& records,
                                              std::optional<std::string_view> authorization) const {
  if (!authorization || !authorization->starts_with(kBearer))
    return Error{ErrorKind::kUnauthenticated, "credential.missing",
                 "this needs an access token: send \"Authorization: Bearer …\" (`warifu login` gets one)"};
  TRY(const auto digest, digest_of(TokenKind::kAccess, authorization->substr(kBearer.size())));
  TRY(const auto token, records.find_access_token(digest));
  if (!token)
    return Error{ErrorKind::kUnauthenticated, "credential.unknown", "this access token is not one of this server's"};
  if (token->expires_at <= clock_.now())
    return Error{ErrorKind::kUnauthenticated, "credential.expired",
                 fmt::format("this access token expired at {}: log in again", to_rfc3339(token->expires_at))};
  return Principal{token->scope, token->token_id, token->name, token->permissions};
}

}  // namespace warifu::operators

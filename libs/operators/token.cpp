#include "operators/token.h"

#include <fmt/format.h>

#include "base/secret.h"
#include "crypto/digest.h"

namespace warifu::operators {
namespace {

constexpr std::size_t kTokenBytes = 32;

std::string_view prefix_of(TokenKind kind) {
  return kind == TokenKind::kBootstrap ? "warifu_bootstrap_" : "warifu_access_";
}

std::string_view name_of(TokenKind kind) {
  return kind == TokenKind::kBootstrap ? "a bootstrap token" : "an access token";
}

}  // namespace

std::string make_token(TokenKind kind, Entropy& entropy) {
  const auto random = SecretBytes::random(entropy, kTokenBytes);
  return fmt::format("{}{}", prefix_of(kind), to_base64url(random.reveal()));
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "Bearer ";
  if (!authorization.starts_with(kBearer)) return std::nullopt;
  return authorization.substr(kBearer.size());
}

Result<TokenDigest> digest_of(TokenKind kind, std::string_view token) {
  const std::string_view prefix = prefix_of(kind);
  const auto bytes = token.starts_with(prefix) ? from_base64url(token.substr(prefix.size())) : Result<Bytes>(Bytes());
  if (!bytes || bytes->size() != kTokenBytes)
    return Error{ErrorKind::kUnauthenticated, "credential.form",
                 fmt::format("this is not {}: one looks like \"{}…\"", name_of(kind), prefix)};
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(token)}).bytes());
}

}  // namespace warifu::operators

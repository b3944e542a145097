#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "operators/records.h"

namespace warifu::operators {

// A prefix tells what a leaked token is, to people and to secret scanners.
enum class TokenKind {
  kBootstrap,  // "warifu_bootstrap_…"
  kAccess,     // "warifu_access_…"
};

// A fresh token: the prefix and 256 random bits in base64url. It is shown once; only its digest is stored.
std::string make_token(TokenKind kind, Entropy& entropy);

// The token in an Authorization field ("Bearer TOKEN", RFC 6750); nullopt if there is something else.
std::optional<std::string_view> bearer_token(std::string_view authorization);

// The stored form of a token. kUnauthenticated "credential.form" if the text is no token of that kind.
Result<TokenDigest> digest_of(TokenKind kind, std::string_view token);

}  // namespace warifu::operators

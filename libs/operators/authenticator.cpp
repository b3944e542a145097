#include "operators/authenticator.h"

#include <fmt/format.h>

#include <algorithm>

#include "operators/service_key.h"
#include "operators/token.h"
#include "sas/sas_token.h"

namespace warifu::operators {
namespace {

constexpr std::string_view kSignature = "SharedAccessSignature ";

Error unknown_key() {
  return {ErrorKind::kUnauthenticated, "credential.unknown",
          "no service key of this name and value is there (`warifu service-key create` makes one)"};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

// The name in a Host header (RFC 9110 §7.2), in lower case: without the port, with the brackets of an IPv6 address.
std::string host_name(std::string_view host) {
  const auto bracket = host.rfind(']');
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return lower(host.substr(0, colon));
}

}  // namespace

Result<Principal> Authenticator::authenticate(RecordsView& records, const Credentials& credentials) const {
  const auto authorization = credentials.authorization.value_or(std::string_view());
  if (const auto token = bearer_token(authorization)) return by_access_token(records, *token);
  if (authorization.starts_with(kSignature)) return by_service_key(records, credentials);
  return Error{ErrorKind::kUnauthenticated, "credential.missing",
               "this needs an access token: send \"Authorization: Bearer …\" (`warifu login` gets one), or a shared "
               "access signature by a service key"};
}

Result<Principal> Authenticator::by_access_token(RecordsView& records, std::string_view text) const {
  TRY(const auto digest, digest_of(TokenKind::kAccess, text));
  TRY(const auto token, records.find_access_token(digest));
  if (!token)
    return Error{ErrorKind::kUnauthenticated, "credential.unknown", "this access token is not one of this server's"};
  if (token->expires_at <= clock_.now())
    return Error{ErrorKind::kUnauthenticated, "credential.expired",
                 fmt::format("this access token expired at {}: log in again", to_rfc3339(token->expires_at))};
  return Principal{token->scope, token->token_id, token->name, token->permissions, token->expires_at};
}

Result<Principal> Authenticator::by_service_key(RecordsView& records, const Credentials& credentials) const {
  TRY(const auto signature, sas::parse_sas_token(*credentials.authorization));
  TRY(const auto resource, sas::resource_of(signature));
  TRY_STATUS(check_host(resource, credentials.host));
  TRY_STATUS(sas::check_expiry(signature, clock_.now()));
  const auto name = Label::parse(signature.key_name);
  if (!name) return unknown_key();
  // The name says nothing of the scope: it is the scope of the key that made the signature. All are tried, so that the
  // time tells nothing of which it was.
  TRY(const auto candidates, records.find_service_keys(*name));
  const ServiceKey* signer = nullptr;
  for (const ServiceKey& candidate : candidates) {
    TRY(const auto key, open_service_key(envelope_key_, candidate));
    if (sas::is_signed_by(signature, key)) signer = &candidate;
  }
  if (signer == nullptr) return unknown_key();
  return Principal{signer->scope, std::nullopt, signer->name, signer->permissions};
}

Status Authenticator::check_host(std::string_view resource, std::optional<std::string_view> host) const {
  if (resource == lower(service_host_) || (host && resource == host_name(*host))) return {};
  return Error{ErrorKind::kUnauthenticated, "token.resource",
               fmt::format("the signature is for another host than \"{}\"", service_host_), "sr"};
}

}  // namespace warifu::operators

#include "provisioning/sas_token.h"

#include <algorithm>
#include <optional>

namespace warifu::provisioning {
namespace {

constexpr std::size_t kSha256HexSize = 64;

// Of what is in lower case.
bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

struct Subject {
  ScopeId scope;
  RegistrationId registration;
};

// Of "{scope}/registrations/{registration}".
std::optional<Subject> subject_of(std::string_view resource) {
  constexpr std::string_view kBetween = "/registrations/";
  const auto end = resource.find(kBetween);
  if (end == std::string_view::npos) return std::nullopt;
  auto scope = ScopeId::parse(resource.substr(0, end));
  auto registration = RegistrationId::parse(resource.substr(end + kBetween.size()));
  if (!scope || !registration) return std::nullopt;
  return Subject{*std::move(scope), *std::move(registration)};
}

}  // namespace

Status check_resource(const SasToken& token, const ScopeId& scope, const RegistrationId& registration) {
  TRY(const auto resource, resource_of(token));
  const auto subject = subject_of(resource);
  if (!subject)
    return Error{ErrorKind::kUnauthenticated, "token.resource",
                 "the token is not for \"{ID scope}/registrations/{registration ID}\"", "sr"};
  if (subject->scope != scope || subject->registration != registration)
    return Error{ErrorKind::kUnauthenticated, "token.resource", "the token was made for another scope or registration",
                 "sr"};
  return {};
}

Result<DepositSubject> deposit_subject_of(const SasToken& token) {
  constexpr std::string_view kBetween = "/escrow/";
  TRY(const auto resource, resource_of(token));
  // No identifier has a slash: the first one of these is the only one.
  const auto end = resource.find(kBetween);
  if (end != std::string::npos) {
    auto subject = subject_of(std::string_view(resource).substr(0, end));
    std::string digest = resource.substr(end + kBetween.size());
    const bool is_digest = digest.size() == kSha256HexSize && std::ranges::all_of(digest, is_hex_digit);
    if (subject && is_digest)
      return DepositSubject{std::move(subject->scope), std::move(subject->registration), std::move(digest)};
  }
  return Error{ErrorKind::kUnauthenticated, "token.resource",
               "the token is not for \"{ID scope}/registrations/{registration ID}/escrow/{SHA-256 of the package}\"",
               "sr"};
}

}  // namespace warifu::provisioning

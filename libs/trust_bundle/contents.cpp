#include "trust_bundle/contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "trust_bundle/limits.h"

namespace warifu::trust_bundle {
namespace {

constexpr std::array<std::pair<Reason, std::string_view>, 3> kReasons = {{{Reason::kKeyCompromise, "key-compromise"},
                                                                          {Reason::kSuperseded, "superseded"},
                                                                          {Reason::kCessation, "cessation"}}};

template <class T>
std::vector<T> clones(const std::vector<T>& from) {
  std::vector<T> copies;
  copies.reserve(from.size());
  for (const T& one : from)
    copies.push_back(one.clone());
  return copies;
}

Error no_listed_certificate(std::string message) {
  return invalid_input("bundle.certificate", std::move(message));
}

}  // namespace

Result<std::string> RoleNameKind::check(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (!text.empty() && text.size() <= kRoleNameMax && std::ranges::all_of(text, allowed)) return std::string(text);
  return invalid_input("bundle.format",
                       fmt::format("expected the name of a role: 1 to {} of a to z, 0 to 9 and '-'", kRoleNameMax));
}

std::string_view to_string(Reason reason) {
  return std::ranges::find(kReasons, reason, &std::pair<Reason, std::string_view>::first)->second;
}

Result<Reason> parse_reason(std::string_view text) {
  const auto found = std::ranges::find(kReasons, text, &std::pair<Reason, std::string_view>::second);
  if (found != kReasons.end()) return found->first;
  return invalid_input("bundle.format", R"(expected "key-compromise", "superseded" or "cessation")");
}

KeySet KeySet::clone() const {
  return {threshold, clones(keys)};
}

bool KeySet::has(const KeyId& id) const {
  return std::ranges::find(keys, id, &SigningKey::id) != keys.end();
}

bool operator==(const KeySet& a, const KeySet& b) {
  return a.threshold == b.threshold && std::ranges::equal(a.keys, b.keys, {}, &SigningKey::id, &SigningKey::id);
}

Result<Listed> Listed::of(const crypto::Certificate& certificate) {
  const auto key = certificate.public_key();
  if (!key) return no_listed_certificate(to_string(key.error()));
  if (certificate.public_key_info() != one_encoding(*key))
    return no_listed_certificate("expected a key with its curve by name and its point uncompressed");
  return Listed{certificate.clone(), KeyId::of(*key)};
}

Result<Listed> Listed::parse(ByteView der) {
  if (der.size() > kCertificateSizeMax)
    return no_listed_certificate(fmt::format("expected at most {} bytes, {} came", kCertificateSizeMax, der.size()));
  const auto certificate = crypto::Certificate::from_der(der);
  if (!certificate) return no_listed_certificate(to_string(certificate.error()));
  if (!std::ranges::equal(certificate->to_der(), der)) return no_listed_certificate("this is BER and not DER");
  return of(*certificate);
}

bool operator==(const Listed& a, const Listed& b) {
  return a.certificate.to_der() == b.certificate.to_der();
}

Role Role::clone() const {
  return {name, clones(certificates)};
}

Contents Contents::clone() const {
  return {organisation,       version,       issued_at,     expires_at, signing.clone(),
          revocation.clone(), clones(roots), clones(roles), revoked};
}

const Revoked* Contents::revocation_of(const KeyId& key) const {
  const auto found = std::ranges::find(revoked, key, &Revoked::key);
  return found == revoked.end() ? nullptr : &*found;
}

}  // namespace warifu::trust_bundle

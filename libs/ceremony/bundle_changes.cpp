#include "ceremony/bundle_changes.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::ceremony {
namespace {

using trust_bundle::Contents;
using trust_bundle::KeySet;
using trust_bundle::Listed;
using trust_bundle::Role;
using trust_bundle::RoleName;

std::string fingerprint_of(const Listed& one) {
  return to_hex(one.certificate.fingerprint_sha256().bytes());
}

std::vector<std::string> lines_of_roots(const Contents& contents) {
  std::vector<std::string> lines;
  for (const Listed& root : contents.roots)
    lines.push_back(fmt::format("root {}, SHA-256 {}", root.certificate.subject(), fingerprint_of(root)));
  return lines;
}

std::vector<std::string> lines_of_roles(const Contents& contents) {
  std::vector<std::string> lines;
  for (const Role& role : contents.roles)
    for (const Listed& one : role.certificates)
      lines.push_back(fmt::format("{} key {}, certificate SHA-256 {}, by {}, until {}", role.name.text(), one.key.hex(),
                                  fingerprint_of(one), one.certificate.issuer(),
                                  to_rfc3339(one.certificate.not_after())));
  return lines;
}

std::vector<std::string> lines_of_keys(std::string_view what, const KeySet& set) {
  std::vector<std::string> lines{fmt::format("{} keys that must sign: {} of {}", what, set.threshold, set.keys.size())};
  for (const auto& key : set.keys)
    lines.push_back(fmt::format("{} key {}", what, key.id.hex()));
  return lines;
}

std::vector<std::string> lines_of_revoked(const Contents& contents) {
  std::vector<std::string> lines;
  for (const auto& entry : contents.revoked)
    lines.push_back(fmt::format("revoked: key {} of {}, {}", entry.key.hex(), entry.role.text(),
                                trust_bundle::to_string(entry.reason)));
  return lines;
}

std::vector<std::string> lines_of(const Contents& contents) {
  std::vector<std::string> lines;
  for (const auto& part :
       {lines_of_roots(contents), lines_of_roles(contents), lines_of_keys("signing", contents.signing),
        lines_of_keys("revocation", contents.revocation), lines_of_revoked(contents)})
    lines.insert(lines.end(), part.begin(), part.end());
  // A day of issue years ahead would stay so in all later bundles.
  lines.push_back(
      fmt::format("issued at {}, good until {}", to_rfc3339(contents.issued_at), to_rfc3339(contents.expires_at)));
  return lines;
}

}  // namespace

Result<Contents> with_role_revoked(const Contents& current, pki::Role role, trust_bundle::Reason reason,
                                   Timestamp now) {
  TRY(const auto name, RoleName::parse(to_string(role)));
  Contents contents = current.clone();
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  for (const Role& listed : current.roles)
    for (const Listed& one : listed.certificates)
      if (listed.name == name && contents.revocation_of(one.key) == nullptr)
        contents.revoked.push_back({one.key, name, second, reason});
  if (contents.revoked.size() == current.revoked.size())
    return Error{ErrorKind::kNotFound, "root.role",
                 fmt::format("the bundle has no key of the role {} that is not revoked", to_string(role))};
  ++contents.version;
  // It must lie before the end, which only the signing keys move.
  contents.issued_at = std::clamp<Timestamp>(second, contents.issued_at, contents.expires_at - std::chrono::seconds(1));
  return contents;
}

Status list_certificate(Contents& contents, pki::Role role, const crypto::Certificate& certificate) {
  TRY(const auto name, RoleName::parse(to_string(role)));
  TRY(auto listed, Listed::of(certificate));
  auto place = std::ranges::find(contents.roles, name, &Role::name);
  if (place == contents.roles.end()) place = contents.roles.insert(place, Role{name, {}});
  std::erase_if(place->certificates, [&](const Listed& old) {
    return old.key == listed.key && old.certificate.issuer() == listed.certificate.issuer();
  });
  place->certificates.push_back(std::move(listed));
  return {};
}

std::vector<std::string> describe_changes(const Contents* current, const Contents& next) {
  const auto before = current == nullptr ? std::vector<std::string>() : lines_of(*current);
  const auto after = lines_of(next);
  const auto is_in = [](const std::vector<std::string>& lines, const std::string& line) {
    return std::ranges::find(lines, line) != lines.end();
  };
  std::vector<std::string> changes;
  for (const std::string& line : before)
    if (!is_in(after, line)) changes.push_back("- " + line);
  for (const std::string& line : after)
    if (!is_in(before, line)) changes.push_back("+ " + line);
  return changes;
}

}  // namespace warifu::ceremony

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "trust_bundle/limits.h"
#include "trust_bundle/payload_reader.h"

namespace warifu::trust_bundle {
namespace {

constexpr std::string_view kSigningUse = "the signing keys";
constexpr std::string_view kRevocationUse = "the revocation keys";
constexpr std::string_view kRootUse = "the roots";

// Which keys stand where, as far as it was read.
class KeyUses {
 public:
  // One key serves one purpose, but for those that it may have `beside`.
  Status add(const KeyId& key, const std::string& use, std::string where,
             std::initializer_list<std::string_view> beside) {
    const auto [found, is_new] = uses_.emplace(key, use);
    if (is_new || std::ranges::find(beside, found->second) != beside.end()) return {};
    return invalid_input("bundle.key-twice",
                         fmt::format("the key {} is one of {}, and one of {}", key.hex(), found->second, use),
                         std::move(where));
  }

 private:
  std::map<KeyId, std::string> uses_;
};

Status check_role_lists(const Contents& contents) {
  std::set<RoleName> names;
  std::size_t certificates = 0;
  for (const Role& role : contents.roles) {
    certificates += role.certificates.size();
    if (!names.insert(role.name).second)
      return invalid_input("bundle.format", fmt::format("the role {} stands here twice", role.name.text()), "roles");
  }
  if (certificates <= kCertificatesMax) return {};
  return invalid_input("bundle.format",
                       fmt::format("expected at most {} certificates, {} came", kCertificatesMax, certificates),
                       "roles");
}

Status check_no_certificate_twice(const Contents& contents) {
  std::set<std::string> seen;
  const auto is_new = [&](const Listed& listed) {
    return seen.insert(to_hex(listed.certificate.fingerprint_sha256().bytes())).second;
  };
  bool is_right = std::ranges::all_of(contents.roots, is_new);
  for (const Role& role : contents.roles)
    is_right = is_right && std::ranges::all_of(role.certificates, is_new);
  if (is_right) return {};
  return invalid_input("bundle.format", "a certificate stands here twice", "roots, roles");
}

Status check_revoked_once(const Contents& contents) {
  std::set<KeyId> keys;
  for (const Revoked& entry : contents.revoked)
    if (!keys.insert(entry.key).second)
      return invalid_input("bundle.format", fmt::format("the key {} is revoked twice", entry.key.hex()), "revoked");
  return {};
}

}  // namespace

Status check_keys_apart(const Contents& contents) {
  TRY_STATUS(check_role_lists(contents));
  TRY_STATUS(check_no_certificate_twice(contents));
  TRY_STATUS(check_revoked_once(contents));
  KeyUses uses;
  for (const SigningKey& key : contents.signing.keys)
    TRY_STATUS(uses.add(key.id, std::string(kSigningUse), "signing.keys", {}));
  for (const SigningKey& key : contents.revocation.keys)
    TRY_STATUS(uses.add(key.id, std::string(kRevocationUse), "revocation.keys", {}));
  // A root may sign bundles, and a key may have several certificates for the same: of an old root and of a new one.
  for (const Listed& root : contents.roots)
    TRY_STATUS(uses.add(root.key, std::string(kRootUse), "roots", {kRootUse, kSigningUse}));
  for (const Role& role : contents.roles) {
    const std::string use = fmt::format("the role {}", role.name.text());
    for (const Listed& listed : role.certificates)
      TRY_STATUS(uses.add(listed.key, use, "roles", {use}));
  }
  return {};
}

}  // namespace warifu::trust_bundle

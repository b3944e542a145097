#include "trust_bundle/certificates.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::trust_bundle {
namespace {

Error unfit(const crypto::Certificate& certificate, std::string_view what, std::string where) {
  return invalid_input("bundle.certificate", fmt::format("\"{}\" {}", certificate.subject(), what), std::move(where));
}

Status check_root(const Listed& root, std::string where) {
  const crypto::Certificate& certificate = root.certificate;
  if (!certificate.is_ca()) return unfit(certificate, "is no CA", std::move(where));
  if (certificate.issued_by(certificate)) return {};
  return unfit(certificate, "did not issue itself", std::move(where));
}

const Listed* issuer_of(const Listed& listed, const std::vector<Listed>& roots) {
  const auto found =
      std::ranges::find_if(roots, [&](const Listed& root) { return listed.certificate.issued_by(root.certificate); });
  return found == roots.end() ? nullptr : &*found;
}

// Those that are left of a role.
Result<Role> usable(const Role& role, const Contents& contents, const std::string& where) {
  Role left{role.name, {}};
  for (const Listed& listed : role.certificates) {
    const Listed* root = issuer_of(listed, contents.roots);
    if (root == nullptr) return unfit(listed.certificate, "was issued by none of the roots", where);
    if (contents.revocation_of(listed.key) == nullptr && contents.revocation_of(root->key) == nullptr)
      left.certificates.push_back(listed.clone());
  }
  return left;
}

}  // namespace

const Role* Certificates::role(const RoleName& name) const {
  const auto found = std::ranges::find(roles, name, &Role::name);
  return found == roles.end() ? nullptr : &*found;
}

Result<Certificates> verify_certificates(const Contents& contents) {
  Certificates certificates;
  for (const Listed& root : contents.roots) {
    TRY_STATUS(check_root(root, fmt::format("roots[{}]", &root - contents.roots.data())));
    if (contents.revocation_of(root.key) == nullptr) certificates.roots.push_back(root.certificate.clone());
  }
  for (const Role& role : contents.roles) {
    TRY(auto left, usable(role, contents, fmt::format("roles, {}", role.name.text())));
    certificates.roles.push_back(std::move(left));
  }
  return certificates;
}

}  // namespace warifu::trust_bundle

#include <algorithm>

#include "trust_bundle/trusted_bundle.h"

namespace warifu::trust_bundle {

bool TrustedBundle::trusts_root(const crypto::Certificate& certificate) const {
  return std::ranges::any_of(roots(), [der = certificate.to_der()](const auto& root) { return root.to_der() == der; });
}

std::vector<crypto::Certificate> TrustedBundle::role_certificates(const RoleName& name) const {
  std::vector<crypto::Certificate> usable;
  const Role* role = state_->certificates.role(name);
  if (role == nullptr) return usable;
  usable.reserve(role->certificates.size());
  for (const Listed& listed : role->certificates)
    usable.push_back(listed.certificate.clone());
  return usable;
}

bool TrustedBundle::trusts_role(const RoleName& name, const crypto::Certificate& certificate) const {
  const Role* role = state_->certificates.role(name);
  if (role == nullptr) return false;
  return std::ranges::any_of(role->certificates, [der = certificate.to_der()](const Listed& listed) {
    return listed.certificate.to_der() == der;
  });
}

const Revoked* TrustedBundle::revocation_of(const crypto::PublicKey& key) const {
  return contents().revocation_of(KeyId::of(key));
}

}  // namespace warifu::trust_bundle

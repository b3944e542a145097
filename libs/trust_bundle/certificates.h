#pragma once

#include "trust_bundle/contents.h"

namespace warifu::trust_bundle {

// The certificates of a bundle that may be used.
struct Certificates {
  std::vector<crypto::Certificate> roots;  // whose key is not revoked
  std::vector<Role> roles;                 // whose key is not revoked, nor that of the root that issued them

  // nullptr when the bundle has no such role.
  const Role* role(const RoleName& name) const;
};

// Verifies all of them. "bundle.certificate" for a root that is no CA or did not sign itself, and for a certificate of
// a role that none of the roots issued. Periods of validity are not looked at: whoever uses a certificate does that.
// Of many roots under one name each signature may have to be tried: call it for what is signed.
Result<Certificates> verify_certificates(const Contents& contents);

}  // namespace warifu::trust_bundle

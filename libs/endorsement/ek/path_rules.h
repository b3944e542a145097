#pragma once

#include <vector>

#include "endorsement/ek/verify.h"

// What a whole path must obey beside its signatures. Used by verify() alone.
namespace warifu::endorsement {

struct WholePath {
  const EkCertificate& leaf;
  const std::vector<const X509Certificate*>& authorities;  // the leaf's issuer first, the root last
  const TrustedRoot& root;
};
struct Maker {
  VendorId vendor;
  TpmClass tpm_class;
};
// The codes of verify(), but for those about finding a path. Adds to `findings`.
Result<Maker> check_path(const WholePath& path, const RootStore& store, JudgedAt at, std::vector<Finding>& findings);

}  // namespace warifu::endorsement

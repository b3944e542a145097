#pragma once

#include <vector>

#include "endorsement/ek/verify.h"

// What a whole path must obey beside its signatures: verify() asks.
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
// For whom a root of this name speaks by itself. nullptr: for nobody, or for whom the authorities below it name, as one
// that certifies for others.
const Vendor* maker_of_root(const Name& root);
// The codes of verify(), but for those about finding a path. Adds to `findings`.
Result<Maker> check_path(const WholePath& path, const RootStore& store, JudgedAt at, std::vector<Finding>& findings);

}  // namespace warifu::endorsement

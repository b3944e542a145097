#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {

// Who vouches for an EK, by the certificate that came with it, as things are now.
struct EkEndorsement {
  // SHA-256 of the certificate of each authority on a path that leads to a trusted root; empty: `refusal`.
  std::vector<Bytes> authorities = {};
  std::optional<Error> refusal = {};  // why no path does, for an operator
};

// What came with an offer to vouch for its EK. Provisioning reads no EK certificates and trusts no roots: whoever puts
// both together answers. It is asked only where a group wants to know, because the answer costs signatures.
class EkEndorsements {
 public:
  virtual ~EkEndorsements() = default;
  // nullopt: no certificate came. Errors are the database's.
  virtual Result<std::optional<EkEndorsement>> find(const ScopeId& scope, const tpm::EkPublic& ek) = 0;
};

// Of who shows no certificate.
class NoEndorsements final : public EkEndorsements {
 public:
  Result<std::optional<EkEndorsement>> find(const ScopeId&, const tpm::EkPublic&) override {
    return std::optional<EkEndorsement>();
  }
};

}  // namespace warifu::provisioning

#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/entropy.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/state_files.h"
#include "crypto/certificate.h"
#include "crypto/certificate_path.h"
#include "crypto/digest.h"
#include "tcb/journal.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// The extended key usage of the organisation's escrow certificate: lockout escrow. (An OID made of a UUID, ITU-T
// X.667.)
inline constexpr std::string_view kLockoutEscrowUsage = "2.25.250778544324231359710627916052777209250";

// Ownership of the TPM: lockoutAuth is random, known to nobody here, and kept as a package that only the organisation's
// escrow key opens. At every moment, power cuts included, the package of the lockoutAuth that is set is on disk.
class Escrow {
 public:
  Escrow(Tpm& tpm, StateFiles& files, Entropy& entropy, Journal& journal)
      : tpm_(tpm), files_(files), entropy_(entropy), journal_(journal) {}

  struct Recipient {
    std::span<const Bytes> chain;  // DER, the escrow certificate first, without the root
    const crypto::Certificate& root;
    crypto::PathTime time;
  };
  // Done too when it was done before. Refuses a certificate that does not lead to the root or lacks
  // kLockoutEscrowUsage, whatever the TPM's state; kConflict "tcb.escrow.foreign" when somebody else owns the TPM.
  Status own(const Recipient& recipient, const RegistrationId& registration);

  struct Package {
    Bytes cms;  // DER
    bool delivered;
    crypto::Digest sha256() const;  // of the DER
  };
  // The package of the lockoutAuth that is set now; nullopt when there is none.
  Result<std::optional<Package>> current();
  // The server has the package with this digest. kConflict "tcb.escrow.other" when it is not the current one.
  Status delivered(ByteView package_sha256);
  // After TPM2_Clear the package opens nothing.
  Status forget();

 private:
  Tpm& tpm_;
  StateFiles& files_;
  Entropy& entropy_;
  Journal& journal_;
};

}  // namespace warifu::tcb

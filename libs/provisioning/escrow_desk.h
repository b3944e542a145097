#pragma once

#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/secret.h"
#include "provisioning/escrow_package.h"
#include "provisioning/records.h"
#include "provisioning/sas_token.h"

namespace warifu::provisioning {

// A package, and the device whose current hub key signed for it: only EscrowDesk::verify() makes one, and deposit()
// takes nothing less.
class SignedPackage {
 private:
  friend class EscrowDesk;
  SignedPackage(Device device, EscrowPackage package) : device_(std::move(device)), package_(std::move(package)) {}
  Device device_;
  EscrowPackage package_;
};

// Where devices leave what is encrypted to the escrow certificate (each TPM's lockoutAuth), and where operators fetch
// it. Nothing here can open a package. Each stays: what replaces it may be the work of an attacker, and the one before
// be the one that opens the TPM.
class EscrowDesk {
 public:
  // A TPM's lockoutAuth is set once, and again after each TPM2_Clear: far fewer in a device's life.
  static constexpr std::size_t kDepositsPerDeviceMax = 16;

  // `envelope_key` opens the hub keys (crypto::kEnvelopeKeySize bytes). The clock outlives the desk.
  EscrowDesk(const Clock& clock, SecretBytes envelope_key) : clock_(clock), envelope_key_(std::move(envelope_key)) {}

  // A deposit as it came, nothing of it believed yet.
  struct Claim {
    const SasToken& token;
    Bytes package;
  };
  // Believes a package whose SHA-256 is in the resource of a token (skn=device) that is signed by the hub key of the
  // device's last assignment. skn is not under the signature and proves nothing; the resource does. kUnauthenticated:
  // "token.*"; "token.signature" tells nobody whether the device is unknown, not enrolled any more, or has another key,
  // or signed for another package. kRefused as lifecycle::may() says. Then as EscrowPackage::parse(): what a stranger
  // sends is hashed and not parsed.
  Result<SignedPackage> verify(RecordsView& records, Claim claim) const;

  // True if this very package is there already: nothing is left to change. kConflict "escrow.full" when it is new and
  // kDepositsPerDeviceMax others are.
  Result<bool> has(RecordsView& records, const SignedPackage& proven) const;

  // Keeps the package, if it is not there. Errors as has() and verify(): the device may have changed since then.
  Status deposit(Records& records, audit::Trail& trail, const SignedPackage& proven) const;

  // All packages of a device, by number. That they were read is an entry of the audit log. kNotFound "device.unknown".
  Result<std::vector<EscrowDeposit>> reveal(Records& records, audit::Trail& trail, const ScopeId& scope,
                                            const std::string& actor, const DeviceId& device) const;

 private:
  const Clock& clock_;
  const SecretBytes envelope_key_;
};

}  // namespace warifu::provisioning

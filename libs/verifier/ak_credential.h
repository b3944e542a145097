#pragma once

#include <string>
#include <string_view>

#include "attestation/quote/ak_public.h"
#include "base/entropy.h"
#include "base/time.h"
#include "tpm_types/make_credential.h"
#include "verifier/device.h"
#include "verifier/records.h"

namespace warifu::verifier {

// What a device gets that says to have this AK beside its EK.
struct AkChallenge {
  tpm::Credential credential;
  std::string session;  // base64url; only nodes of this server open it
  Timestamp expires_at;
};
// What a device shows later: that its TPM was here.
struct AttestationToken {
  std::string text;
  Bytes ak_name;
  Timestamp expires_at;
};

// Binds AKs to EKs without keeping anything in between (docs/protocols/attestation.md, steps 1 and 2). Safe to call
// from several threads.
class AkCredentials {
 public:
  // Keys are derived from `envelope_key`. Clock and entropy outlive it.
  AkCredentials(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key);

  // The EK is known to be enrolled; the AK is one that cannot sign a forged quote. Codes of tpm::make_credential().
  Result<AkChallenge> challenge(const DeviceKey& device, const tpm::EkPublic& ek,
                                const attestation::AkPublic& ak) const;
  // The AK that the TPM with the EK proved to hold. kInvalidInput "attestation.session" when the session is none of
  // ours for this device; kUnauthenticated "attestation.session-expired", "attestation.secret".
  Result<BoundAk> activate(const DeviceKey& device, std::string_view session, ByteView secret) const;

  AttestationToken issue_token(const BoundAk& ak) const;
  // The Name of the AK that it was given for. kUnauthenticated "attestation.token" (no such token of this device),
  // "attestation.token-expired".
  Result<Bytes> check_token(const DeviceKey& device, std::string_view token) const;

 private:
  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes session_key_;
  const SecretBytes token_key_;
};

}  // namespace warifu::verifier

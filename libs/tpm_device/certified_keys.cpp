#include "tpm_device/certified_keys.h"

#include "tpm_device/attestation.h"
#include "tpm_device/capability.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/keys.h"

namespace warifu::tpm_device {
namespace {

Result<NewPrimary> make_idevid(Device& device) {
  TRY(const bool has_ecc, has_p256(device));
  const auto algorithm = has_ecc ? tpm::IdentityAlgorithm::kEccP256 : tpm::IdentityAlgorithm::kRsa2048;
  return create_identity_primary(device, tpm::idevid_template(algorithm));
}

}  // namespace

// Not by trying, as with the AK: an error nobody signs.
Result<tcb::WrappedObject> create_ldevid(Device& device) {
  TRY(const bool has_ecc, has_p256(device));
  if (has_ecc) return create_signing_key(device, tpm::ldevid_template());
  return Error{ErrorKind::kRefused, "tpm.ecc", "this TPM has no ECC keys on P-256: it can hold no LDevID"};
}

Result<tcb::TpmAttestation> certify_key(Device& device, const tcb::WrappedObject& key,
                                        const crypto::Digest& extra_data) {
  TRY(const Handle loaded, load(device, key));
  TRY(const Handle ak, create_attestation_key(device));
  return certify(device, loaded, ak, {to_bytes(extra_data.bytes())});
}

Result<Bytes> idevid(Device& device) {
  TRY(auto made, make_idevid(device));
  return std::move(made.public_area);
}

Result<tcb::CreatedPrimary> certify_idevid(Device& device, const crypto::Digest& extra_data) {
  TRY(const Handle ak, create_attestation_key(device));
  TRY(auto made, make_idevid(device));
  TRY(auto certification, certify_creation(device, made, ak, {to_bytes(extra_data.bytes())}));
  return tcb::CreatedPrimary{std::move(made.public_area), std::move(made.creation_data), std::move(certification)};
}

}  // namespace warifu::tpm_device

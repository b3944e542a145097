#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"

// The keys for which a device asks for certificates, each shown by its AK (attestation.h): the proof that the server
// wants of them (docs/protocols/device-certificates.md).
namespace warifu::tpm_device {

// tpm::ldevid_template() under the SRK. kRefused "tpm.ecc" where the TPM has no P-256.
Result<tcb::WrappedObject> create_ldevid(Device& device);
// TPM2_Certify. kRefused "tpm.key.dead" when the key belongs to another SRK.
Result<tcb::TpmAttestation> certify_key(Device& device, const tcb::WrappedObject& key,
                                        const crypto::Digest& extra_data);
// ECC P-256 or, where the TPM has none, RSA-2048 (tpm::idevid_template). TPM2B_PUBLIC.
Result<Bytes> idevid(Device& device);
// TPM2_CertifyCreation, just after it was made: a ticket says so to the TPM alone.
Result<tcb::CreatedPrimary> certify_idevid(Device& device, const crypto::Digest& extra_data);

}  // namespace warifu::tpm_device

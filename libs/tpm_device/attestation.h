#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"

// What a device shows to its server of the state that it is in (docs/protocols/attestation.md). The AK is made for each
// use: a TPM without a resource manager has three slots.
namespace warifu::tpm_device {

// ECC P-256 or, where the TPM has none, RSA-2048 (tpm::primary_ak_template).
Result<Handle> create_attestation_key(Device& device);

// TPM2B_PUBLIC.
Result<Bytes> attestation_key(Device& device);
// The errors of activate_credential() of activation.h.
Result<SecretBytes> activate_attestation(Device& device, ByteView id_object, ByteView encrypted_secret);
Result<tcb::TpmAttestation> quote(Device& device, const tcb::RegisterSelection& registers,
                                  const crypto::Digest& extra_data);
// The values one after another. kUnavailable "tpm.pcr" when one of them is not there.
Result<Bytes> read_registers(Device& device, const tcb::RegisterSelection& registers);
// nullopt where the TPM has no ECC. tpm::null_primary_template() under TPM_RH_NULL, whose seed is drawn anew at each
// TPM Reset.
Result<std::optional<tcb::CertifiedPrimary>> certify_null_primary(Device& device, const crypto::Digest& extra_data);
// The Name of that primary, without a session and so without an EK: what a boot records of it at its start. Who forges
// it raises an alarm and hides nothing. kRefused "tpm.*" where the TPM has no ECC.
Result<tpm::Name> null_primary_name(Device& device);

}  // namespace warifu::tpm_device

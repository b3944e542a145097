#pragma once

#include "base/result.h"
#include "base/secret.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"
#include "tpm_types/hmac_use.h"

namespace warifu::tpm_device {

// Opens a server's authenticationKey (tpm_types/authentication_key.h): TPM2_ActivateCredential with EK and SRK gives
// the inner key, TPM2_Import makes the HMAC key in it one of this TPM. kRefused "tpm.activation" when the TPM says that
// it is for another EK or SRK, kInvalidInput "tpm.activation.object" when it is not exactly an HMAC-SHA256 signing key
// for this use.
Result<tcb::WrappedObject> activate(Device& device, ByteView authentication_key, const tpm::HmacUse& use = {});

// TPM2_ActivateCredential of `object` with the EK, from TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. kRefused
// "tpm.activation" when the credential was made for another object or EK; kInvalidInput "wire.…", "tpm.size".
Result<SecretBytes> activate_credential(Device& device, ESYS_TR object, ByteView id_object, ByteView encrypted_secret);

}  // namespace warifu::tpm_device

#pragma once

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "tpm_types/hmac_use.h"
#include "tpm_types/storage_key.h"

namespace warifu::tpm {

// Azure DPS's authenticationKey: six sized parts (TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET, TPM2B_PRIVATE,
// TPM2B_ENCRYPTED_SECRET, TPM2B_PUBLIC, TPM2B_DATA). A device takes the inner key out of the first two with
// ActivateCredential(SRK, EK), imports the HMAC key under its SRK and signs SAS tokens with it. The last part, which
// every client ignores, is empty. 766 bytes for two RSA-2048 keys and an HMAC key of 32 bytes, 390 for two on P-256.
// Never the same twice.
Result<Bytes> make_authentication_key(const EkPublic& ek, const SrkPublic& srk, const SecretBytes& hmac_key,
                                      Entropy& entropy, const HmacUse& use = {});

}  // namespace warifu::tpm

#pragma once

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "tpm_types/hmac_use.h"
#include "tpm_types/storage_key.h"

namespace warifu::bus {

// The server's authenticationKey, made of the parts of tpm::make_authentication_key() so that the harness knows what is
// in it: the inner key is the credential that TPM2_ActivateCredential gives out and TPM2_Import takes in.
Result<Bytes> make_known_challenge(const tpm::EkPublic& ek, const tpm::SrkPublic& srk, const SecretBytes& inner_key,
                                   const SecretBytes& hmac_key, Entropy& entropy, const tpm::HmacUse& use = {});

}  // namespace warifu::bus

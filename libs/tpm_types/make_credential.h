#pragma once

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "tpm_types/storage_key.h"

namespace warifu::tpm {

// Both with their size fields.
struct Credential {
  Bytes id_object;         // TPM2B_ID_OBJECT
  Bytes encrypted_secret;  // TPM2B_ENCRYPTED_SECRET
};

// TPM2_MakeCredential in software (Part 1, "Credential Protection"; Part 3, 12.6): only the TPM that holds the EK
// together with the object of this Name can take the secret out. "tpm.credential.size" when the secret is empty or
// longer than the digest of the EK's nameAlg.
Result<Credential> make_credential(const EkPublic& ek, const Name& object, const SecretBytes& secret, Entropy& entropy);

}  // namespace warifu::tpm

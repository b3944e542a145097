#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "tpm_types/storage_key.h"

// The two halves that MakeCredential and Duplicate have in common. Product code calls make_credential() and
// make_duplicate(); tests take the halves apart.
namespace warifu::tpm {

// A fresh seed and the same encrypted to a storage key.
struct ProtectedSeed {
  SecretBytes seed;        // as long as the digest of the key's nameAlg
  Bytes encrypted_secret;  // the content of a TPM2B_ENCRYPTED_SECRET
};

// Part 1, "Secret Sharing", and its annexes for RSA and ECC. `label` is kIdentityLabel or
// kDuplicateLabel.
Result<ProtectedSeed> protect_seed(const Protector& protector, std::string_view label, Entropy& entropy);

// Part 1, "Symmetric Encryption" and "Integrity" of protected storage: 2B(HMAC) | AES-CFB(plain), with both keys
// derived from the seed and both bound to the Name.
Bytes outer_wrap(const Protector& protector, const SecretBytes& seed, const Name& name, SecretBytes plain);

}  // namespace warifu::tpm

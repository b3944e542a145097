#pragma once

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "tpm_types/hmac_use.h"
#include "tpm_types/storage_key.h"

namespace warifu::tpm {

// An HMAC-SHA256 key as a TPM object that may be imported: TPMT_PUBLIC and TPMT_SENSITIVE that belong together.
struct HmacObject {
  Bytes tpmt_public;      // KEYEDHASH, SHA-256, by its HmacUse
  SecretBytes sensitive;  // TPMT_SENSITIVE with an empty auth value
  Name name() const;
};

// `key` has 1 to 64 bytes (a longer one is no better: HMAC would hash it). "tpm.hmac-key.size".
Result<HmacObject> make_hmac_object(const SecretBytes& key, Entropy& entropy, const HmacUse& use = {});

// Content of TPM2B_PRIVATE and of TPM2B_ENCRYPTED_SECRET, without their size fields.
struct Duplicate {
  Bytes private_area;
  Bytes encrypted_seed;
};

// Part 1, "Inner Duplication Wrapper": AES-CFB(inner key, 2B(H(sensitive | Name)) | sensitive), for a SHA-256 object.
// `inner_key` has 16 bytes.
SecretBytes inner_wrap(const HmacObject& object, const SecretBytes& inner_key);

// What TPM2_Duplicate would give (Part 1, "Protected Storage", "Duplication"), for TPM2_Import under the new parent
// with symmetricAlg AES-128-CFB and this inner key. The outer wrap goes by the parent's nameAlg and AES size, the inner
// by the object's. The seed is encrypted to an RSA parent by OAEP; an ECC parent gets an ephemeral TPMS_ECC_POINT.
Result<Duplicate> make_duplicate(const SrkPublic& new_parent, const HmacObject& object, const SecretBytes& inner_key,
                                 Entropy& entropy);

}  // namespace warifu::tpm

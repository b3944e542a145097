#pragma once

#include "application_keys/desk.h"
#include "crypto/digest.h"
#include "tpm_types/application_key.h"

// For tests: what a TPM that has the key says.
namespace warifu::application_keys::test {

inline Bytes acknowledgement_mac(ByteView key, const RegistrationId& registration, const KeyVersion& version,
                                 ByteView nonce) {
  const Bytes message = tpm::acknowledgement_message(registration, version.name, version.version, nonce);
  return to_bytes(crypto::hmac(crypto::HashAlgorithm::kSha256, key, {message}).bytes());
}

}  // namespace warifu::application_keys::test

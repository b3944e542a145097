#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "tpm_types/hmac_use.h"
#include "tpm_types/public_area.h"

namespace warifu::tpm {

// A server's authenticationKey (authentication_key.h) taken apart by the device that it is for, before the TPM sees it.
// Codes: those of PublicArea, "tpm.activation.object" when the object is not exactly an HMAC-SHA256 signing key
// for this use, "wire.truncated" and "wire.trailing".
struct AuthenticationKeyParts {
  // The contents of TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET, TPM2B_PRIVATE, TPM2B_ENCRYPTED_SECRET.
  Bytes id_object;
  Bytes encrypted_secret;
  Bytes private_area;
  Bytes encrypted_seed;
  PublicArea object;
  std::size_t uri_data_size;  // of the part that every client ignores

  static Result<AuthenticationKeyParts> parse(ByteView blob, const HmacUse& use = {});
};

}  // namespace warifu::tpm

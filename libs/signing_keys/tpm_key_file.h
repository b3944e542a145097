#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/ec.h"
#include "signing_keys/key_place.h"
#include "tcb/tpm.h"

namespace warifu::signing_keys {

// A key that a TPM has wrapped, in a file (docs/formats/key-file.md).
struct TpmKeyFile {
  KeyName name;
  tcb::WrappedObject object;

  // kInvalidInput "tpm_key.format", "key.name" and those of JSON.
  static Result<TpmKeyFile> parse(std::string_view json);
  std::string to_json() const;
  // kInvalidInput "tpm_key.public" when it is no key on P-256 or P-384 that signs and cannot leave its TPM.
  Result<crypto::EcPublicKey> point() const;
};

}  // namespace warifu::signing_keys

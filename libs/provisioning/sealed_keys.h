#pragma once

#include "base/entropy.h"
#include "base/ids.h"
#include "base/secret.h"

namespace warifu::provisioning {

// Keys at rest, each sealed for the one row that it belongs to (crypto/envelope.h): moved to another row it does not
// open.
Bytes seal_challenge_key(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& operation_id,
                         const SecretBytes& key, Entropy& entropy);
Result<SecretBytes> open_challenge_key(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& operation_id,
                                       ByteView sealed);

// Of a challenge that is not answered yet.
Bytes seal_outstanding_key(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& challenge_id,
                           const SecretBytes& key, Entropy& entropy);
Result<SecretBytes> open_outstanding_key(const SecretBytes& envelope_key, const ScopeId& scope,
                                         const Uuid& challenge_id, ByteView sealed);

Bytes seal_hub_key(const SecretBytes& envelope_key, const ScopeId& scope, const DeviceId& device,
                   const SecretBytes& key, Entropy& entropy);
Result<SecretBytes> open_hub_key(const SecretBytes& envelope_key, const ScopeId& scope, const DeviceId& device,
                                 ByteView sealed);

}  // namespace warifu::provisioning

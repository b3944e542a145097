#pragma once

#include "base/entropy.h"
#include "base/secret.h"
#include "operators/records.h"

namespace warifu::operators {

// The key in an envelope that opens for this scope and name only.
Bytes seal_service_key(const SecretBytes& envelope_key, const ScopeId& scope, const Label& name, const SecretBytes& key,
                       Entropy& entropy);
Result<SecretBytes> open_service_key(const SecretBytes& envelope_key, const ServiceKey& sealed);

}  // namespace warifu::operators

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "provisioning/enrollment.h"
#include "provisioning/sas_token.h"

namespace warifu::provisioning {

// The two keys of a symmetric-key enrollment or group; either will do, so that one can be changed at a time.
struct SharedKeys {
  SecretBytes primary;
  SecretBytes secondary;
};

// What an operator may choose: 16 to 64 bytes, as Azure does. kInvalidInput "enrollment.key_size".
Status check_shared_key(const SecretBytes& key);

// Sealed for the enrollment or group of that generation: with another it does not open.
SymmetricKeyAttestation seal_shared_keys(const SecretBytes& envelope_key, const ScopeId& scope,
                                         const Uuid& enrollment_id, const SharedKeys& keys, Entropy& entropy);
Result<SharedKeys> open_shared_keys(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& enrollment_id,
                                    const SymmetricKeyAttestation& sealed);

// The key of one device of a group (Azure DPS, "group symmetric key"): HMAC-SHA256 of the registration ID under the
// group's key.
SecretBytes derive_device_key(const SecretBytes& group_key, std::string_view registration_id);
SharedKeys derive_device_keys(const SharedKeys& group_keys, std::string_view registration_id);

bool is_signed_by(const SasToken& token, const SharedKeys& keys);
// The spelling for which the key was derived that signed it: the ID as the device writes it, or its lower case (Azure
// takes IDs in either case, and SDKs differ). Nothing else than this spelling gives that key again.
std::optional<std::string> signed_spelling(const SasToken& token, const SharedKeys& group_keys,
                                           const std::string& as_written, const RegistrationId& registration);

}  // namespace warifu::provisioning

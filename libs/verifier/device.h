#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/secret.h"

namespace warifu::verifier {

// Whose something is.
struct DeviceKey {
  ScopeId scope;
  RegistrationId registration;
};

// The bytes that tie an envelope or a MAC to one purpose and one device. No part can hold a NUL.
Bytes tie(std::string_view purpose, const DeviceKey& device);
// A key of all nodes for one purpose.
SecretBytes derive_key(const SecretBytes& envelope_key, std::string_view purpose);

}  // namespace warifu::verifier

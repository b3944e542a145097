#include "verifier/device.h"

#include "crypto/envelope.h"
#include "crypto/kdf.h"

namespace warifu::verifier {

Bytes tie(std::string_view purpose, const DeviceKey& device) {
  Bytes bytes;
  for (const std::string_view part :
       {purpose, std::string_view(device.scope.text()), std::string_view(device.registration.text())}) {
    bytes.insert(bytes.end(), part.begin(), part.end());
    bytes.push_back(0);
  }
  return bytes;
}

SecretBytes derive_key(const SecretBytes& envelope_key, std::string_view purpose) {
  return crypto::hkdf_sha256(envelope_key, {}, as_bytes(purpose), crypto::kEnvelopeKeySize);
}

}  // namespace warifu::verifier

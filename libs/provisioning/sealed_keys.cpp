#include "provisioning/sealed_keys.h"

#include <fmt/format.h>

#include "crypto/envelope.h"

namespace warifu::provisioning {
namespace {

std::string challenge_place(const ScopeId& scope, const Uuid& operation_id) {
  return fmt::format("challenge-key/{}/{}", scope.text(), operation_id.text());
}

std::string outstanding_place(const ScopeId& scope, const Uuid& challenge_id) {
  return fmt::format("outstanding-key/{}/{}", scope.text(), challenge_id.text());
}

std::string hub_place(const ScopeId& scope, const DeviceId& device) {
  return fmt::format("hub-key/{}/{}", scope.text(), device.text());
}

}  // namespace

Bytes seal_challenge_key(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& operation_id,
                         const SecretBytes& key, Entropy& entropy) {
  return crypto::seal_envelope(envelope_key, as_bytes(challenge_place(scope, operation_id)), key.reveal(), entropy);
}

Result<SecretBytes> open_challenge_key(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& operation_id,
                                       ByteView sealed) {
  return crypto::open_envelope(envelope_key, as_bytes(challenge_place(scope, operation_id)), sealed);
}

Bytes seal_outstanding_key(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& challenge_id,
                           const SecretBytes& key, Entropy& entropy) {
  return crypto::seal_envelope(envelope_key, as_bytes(outstanding_place(scope, challenge_id)), key.reveal(), entropy);
}

Result<SecretBytes> open_outstanding_key(const SecretBytes& envelope_key, const ScopeId& scope,
                                         const Uuid& challenge_id, ByteView sealed) {
  return crypto::open_envelope(envelope_key, as_bytes(outstanding_place(scope, challenge_id)), sealed);
}

Bytes seal_hub_key(const SecretBytes& envelope_key, const ScopeId& scope, const DeviceId& device,
                   const SecretBytes& key, Entropy& entropy) {
  return crypto::seal_envelope(envelope_key, as_bytes(hub_place(scope, device)), key.reveal(), entropy);
}

Result<SecretBytes> open_hub_key(const SecretBytes& envelope_key, const ScopeId& scope, const DeviceId& device,
                                 ByteView sealed) {
  return crypto::open_envelope(envelope_key, as_bytes(hub_place(scope, device)), sealed);
}

}  // namespace warifu::provisioning

#include "operators/service_key.h"

#include <fmt/format.h>

#include "crypto/envelope.h"

namespace warifu::operators {
namespace {

std::string place_of(const ScopeId& scope, const Label& name) {
  return fmt::format("service-key/{}/{}", scope.text(), name.text());
}

}  // namespace

Bytes seal_service_key(const SecretBytes& envelope_key, const ScopeId& scope, const Label& name, const SecretBytes& key,
                       Entropy& entropy) {
  return crypto::seal_envelope(envelope_key, as_bytes(place_of(scope, name)), key.reveal(), entropy);
}

Result<SecretBytes> open_service_key(const SecretBytes& envelope_key, const ServiceKey& sealed) {
  return crypto::open_envelope(envelope_key, as_bytes(place_of(sealed.scope, sealed.name)), sealed.sealed_key);
}

}  // namespace warifu::operators

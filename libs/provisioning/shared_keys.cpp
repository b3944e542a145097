#include "provisioning/shared_keys.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "crypto/envelope.h"

namespace warifu::provisioning {
namespace {

constexpr std::size_t kKeySizeMin = 16;
constexpr std::size_t kKeySizeMax = 64;

std::string place_of(const ScopeId& scope, const Uuid& enrollment_id, std::string_view which) {
  return fmt::format("shared-key/{}/{}/{}", scope.text(), enrollment_id.text(), which);
}

}  // namespace

Status check_shared_key(const SecretBytes& key) {
  if (key.size() >= kKeySizeMin && key.size() <= kKeySizeMax) return {};
  return invalid_input("enrollment.key_size", fmt::format("a symmetric key has {} to {} bytes, this one has {}",
                                                          kKeySizeMin, kKeySizeMax, key.size()));
}

SymmetricKeyAttestation seal_shared_keys(const SecretBytes& envelope_key, const ScopeId& scope,
                                         const Uuid& enrollment_id, const SharedKeys& keys, Entropy& entropy) {
  const auto seal = [&](const SecretBytes& key, std::string_view which) {
    return crypto::seal_envelope(envelope_key, as_bytes(place_of(scope, enrollment_id, which)), key.reveal(), entropy);
  };
  return {seal(keys.primary, "primary"), seal(keys.secondary, "secondary")};
}

Result<SharedKeys> open_shared_keys(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& enrollment_id,
                                    const SymmetricKeyAttestation& sealed) {
  TRY(auto primary,
      crypto::open_envelope(envelope_key, as_bytes(place_of(scope, enrollment_id, "primary")), sealed.sealed_primary));
  TRY(auto secondary, crypto::open_envelope(envelope_key, as_bytes(place_of(scope, enrollment_id, "secondary")),
                                            sealed.sealed_secondary));
  return SharedKeys{std::move(primary), std::move(secondary)};
}

SecretBytes derive_device_key(const SecretBytes& group_key, std::string_view registration_id) {
  auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, group_key.reveal(), {as_bytes(registration_id)});
  auto key = SecretBytes::copy_of(mac.bytes());
  wipe(mac.writable());
  return key;
}

SharedKeys derive_device_keys(const SharedKeys& group_keys, std::string_view registration_id) {
  return {derive_device_key(group_keys.primary, registration_id),
          derive_device_key(group_keys.secondary, registration_id)};
}

bool is_signed_by(const SasToken& token, const SharedKeys& keys) {
  return is_signed_by(token, keys.primary) || is_signed_by(token, keys.secondary);
}

std::optional<std::string> signed_spelling(const SasToken& token, const SharedKeys& group_keys,
                                           const std::string& as_written, const RegistrationId& registration) {
  if (is_signed_by(token, derive_device_keys(group_keys, as_written))) return as_written;
  if (as_written == registration.text()) return std::nullopt;
  if (is_signed_by(token, derive_device_keys(group_keys, registration.text()))) return registration.text();
  return std::nullopt;
}

}  // namespace warifu::provisioning

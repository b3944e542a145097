#include "webhooks/signature.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "crypto/envelope.h"

namespace warifu::webhooks {
namespace {

std::string place_of(const ScopeId& scope, const Label& name) {
  return fmt::format("webhook/{}/{}", scope.text(), name.text());
}

}  // namespace

std::string secret_text(const SecretBytes& secret) {
  return "whsec_" + to_base64(secret.reveal());
}

Bytes seal_secret(const SecretBytes& envelope_key, const ScopeId& scope, const Label& name, const SecretBytes& secret,
                  Entropy& entropy) {
  return crypto::seal_envelope(envelope_key, as_bytes(place_of(scope, name)), secret.reveal(), entropy);
}

Result<std::vector<SecretBytes>> signing_secrets(const SecretBytes& envelope_key, const Webhook& webhook,
                                                 Timestamp now) {
  const std::string place = place_of(webhook.scope, webhook.name);
  std::vector<SecretBytes> secrets;
  TRY(auto current, crypto::open_envelope(envelope_key, as_bytes(place), webhook.sealed_secret));
  secrets.push_back(std::move(current));
  if (!webhook.sealed_previous_secret || !webhook.previous_until || *webhook.previous_until <= now) return secrets;
  TRY(auto previous, crypto::open_envelope(envelope_key, as_bytes(place), *webhook.sealed_previous_secret));
  secrets.push_back(std::move(previous));
  return secrets;
}

std::string signature(const std::vector<SecretBytes>& secrets, std::string_view id, std::int64_t unix_seconds,
                      std::string_view body) {
  const std::string head = fmt::format("{}.{}.", id, unix_seconds);
  std::string value;
  for (const SecretBytes& secret : secrets) {
    const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, secret.reveal(), {as_bytes(head), as_bytes(body)});
    value += fmt::format("{}v1,{}", value.empty() ? "" : " ", to_base64(mac.bytes()));
  }
  return value;
}

}  // namespace warifu::webhooks

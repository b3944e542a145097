#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/secret.h"
#include "webhooks/records.h"

// Standard Webhooks 1.0, symmetric ("v1"): HMAC-SHA256 over ID, time and body.
namespace warifu::webhooks {

// "whsec_" and base64. The text is a secret: wipe it.
std::string secret_text(const SecretBytes& secret);

// The secret in an envelope that opens for this scope and name only.
Bytes seal_secret(const SecretBytes& envelope_key, const ScopeId& scope, const Label& name, const SecretBytes& secret,
                  Entropy& entropy);
// Those that sign at `now`: the current one, and the one before while it is good. Errors of open_envelope().
Result<std::vector<SecretBytes>> signing_secrets(const SecretBytes& envelope_key, const Webhook& webhook,
                                                 Timestamp now);

// The value of webhook-signature: "v1,BASE64" by each secret, with a space between. `id` holds no full stop.
std::string signature(const std::vector<SecretBytes>& secrets, std::string_view id, std::int64_t unix_seconds,
                      std::string_view body);

}  // namespace warifu::webhooks

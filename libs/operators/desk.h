#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "audit/entry.h"
#include "base/secret.h"
#include "base/time.h"
#include "operators/principal.h"
#include "operators/records.h"

namespace warifu::operators {

constexpr std::chrono::hours kBootstrapLifetime{24};
constexpr std::chrono::hours kAccessLifetimeDefault{12};
constexpr std::chrono::hours kAccessLifetimeMax{24 * 30};
// How long the answer to a request with an Idempotency-Key is given again.
constexpr std::chrono::hours kIdempotencyKept{24};
// Of a scope: a request names a key, and all of that name are tried.
constexpr std::size_t kServiceKeysMax = 100;

// A credential at the only moment at which its text exists.
struct IssuedToken {
  std::string text;
  AccessToken record;
};

// What somebody with a bootstrap token asks for.
struct LoginRequest {
  std::string bootstrap_token;
  Label name;
  Permissions permissions;
  std::chrono::seconds lifetime;
};

// A new key of the DPS service API.
struct ServiceKeyRequest {
  Label name;
  // Absent: what the service API demands, as far as whoever asks has it.
  std::optional<Permissions> permissions = {};
};

struct IssuedServiceKey {
  Label name;
  Permissions permissions;
  SecretBytes key;
};

// Where operators get their credentials. Each method runs inside a transaction and leaves its audit entry.
class Desk {
 public:
  // `envelope_key` seals service keys. Clock and entropy outlive the desk.
  Desk(const Clock& clock, Entropy& entropy, SecretBytes envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(std::move(envelope_key)) {}

  // A one-time token, good for kBootstrapLifetime, as its text.
  Result<std::string> issue_bootstrap_token(Records& records, audit::Trail& trail, const ScopeId& scope) const;

  // Exchanges a bootstrap token for an access token. kUnauthenticated "bootstrap.unknown", ".used", ".expired";
  // kInvalidInput "login.lifetime".
  Result<IssuedToken> login(Records& records, audit::Trail& trail, const LoginRequest& request) const;

  // kConflict "service_key.exists", "service_key.too_many"; kRefused "service_key.permissions": nobody gives away what
  // he has not.
  Result<IssuedServiceKey> create_service_key(Records& records, audit::Trail& trail, const Principal& who,
                                              const ServiceKeyRequest& request) const;
  // What it signed is refused from then on. kNotFound "service_key.unknown".
  Status remove_service_key(Records& records, audit::Trail& trail, const Principal& who, const Label& name) const;

  // Removes tokens that expired more than `kept` ago, and answers that are older than kIdempotencyKept.
  Status purge(Records& records, audit::Trail& trail, const ScopeId& scope, std::chrono::seconds kept) const;

 private:
  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
};

}  // namespace warifu::operators

#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "operators/permissions.h"

namespace warifu::operators {

// SHA-256 of a token's text. Tokens carry 256 random bits, so a plain digest cannot be searched.
using TokenDigest = Bytes;

// The first operator's way in, printed once by `warifud init`.
struct BootstrapToken {
  TokenDigest digest;
  ScopeId scope;
  Timestamp expires_at;
  std::optional<Timestamp> used_at;
};

// What an operator's requests carry as a bearer token.
struct AccessToken {
  TokenDigest digest;
  ScopeId scope;
  Uuid token_id;  // names the token in the audit log
  Label name;
  Permissions permissions;
  Timestamp created_at;
  Timestamp expires_at;
};

// A shared access key of the DPS service API ("policy" in Azure's words).
struct ServiceKey {
  ScopeId scope;
  Label name;
  Bytes sealed_key;  // envelope under the master key, associated with scope and name
  Permissions permissions;
  Timestamp created_at;
};

// Where the answer to a request with an Idempotency-Key is kept: a key belongs to one token and one route.
struct IdempotencyPlace {
  ScopeId scope;
  Uuid token_id;
  std::string route;  // "POST /api/v1/enrollments"
  std::string key;    // as the client sent it
};

struct IdempotentAnswer {
  IdempotencyPlace place;
  Bytes sealed_answer;  // envelope under the master key, associated with the place
  Timestamp created_at;
};

// What operators need to read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;
  virtual Result<std::optional<BootstrapToken>> find_bootstrap_token(const TokenDigest& digest) = 0;
  virtual Result<std::optional<AccessToken>> find_access_token(const TokenDigest& digest) = 0;
  // Those of that name in all scopes: a signature does not say of which it is.
  virtual Result<std::vector<ServiceKey>> find_service_keys(const Label& name) = 0;
  // Those of the scope by name, at most `limit`.
  virtual Result<std::vector<ServiceKey>> list_service_keys(const ScopeId& scope, std::size_t limit) = 0;
};

class Records : public RecordsView {
 public:
  virtual Status insert_bootstrap_token(const BootstrapToken& token) = 0;
  virtual Status use_bootstrap_token(const TokenDigest& digest, Timestamp at) = 0;
  virtual Status insert_access_token(const AccessToken& token) = 0;
  // kConflict "service_key.exists" if the scope has a key of that name.
  virtual Status insert_service_key(const ServiceKey& key) = 0;
  // kNotFound "service_key.unknown".
  virtual Status remove_service_key(const ScopeId& scope, const Label& name) = 0;
  // Removes access and bootstrap tokens of the scope that expired before `before`; returns how many.
  virtual Result<std::size_t> purge_tokens(const ScopeId& scope, Timestamp before) = 0;

  // The sealed answer.
  virtual Result<std::optional<Bytes>> find_idempotent_answer(const IdempotencyPlace& place) = 0;
  // kConflict "idempotency.exists" if there is one.
  virtual Status insert_idempotent_answer(const IdempotentAnswer& answer) = 0;
  // Removes those of the scope that were made before `before`; returns how many.
  virtual Result<std::size_t> purge_idempotent_answers(const ScopeId& scope, Timestamp before) = 0;
};

}  // namespace warifu::operators

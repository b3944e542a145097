#pragma once

#include "operators/records.h"
#include "store/connection.h"

namespace warifu::store {

class SqlOperatorRecords final : public operators::Records {
 public:
  explicit SqlOperatorRecords(Connection& connection) : connection_(connection) {}

  Result<std::optional<operators::BootstrapToken>> find_bootstrap_token(const operators::TokenDigest& digest) override;
  Result<std::optional<operators::AccessToken>> find_access_token(const operators::TokenDigest& digest) override;
  Result<std::vector<operators::ServiceKey>> find_service_keys(const Label& name) override;
  Result<std::vector<operators::ServiceKey>> list_service_keys(const ScopeId& scope, std::size_t limit) override;

  Status insert_bootstrap_token(const operators::BootstrapToken& token) override;
  // kNotFound "bootstrap_token.unknown", kConflict "bootstrap_token.used".
  Status use_bootstrap_token(const operators::TokenDigest& digest, Timestamp at) override;
  Status insert_access_token(const operators::AccessToken& token) override;
  Status insert_service_key(const operators::ServiceKey& key) override;
  Status remove_service_key(const ScopeId& scope, const Label& name) override;
  Result<std::size_t> purge_tokens(const ScopeId& scope, Timestamp before) override;

  // sql_idempotency.cpp
  Result<std::optional<Bytes>> find_idempotent_answer(const operators::IdempotencyPlace& place) override;
  Status insert_idempotent_answer(const operators::IdempotentAnswer& answer) override;
  Result<std::size_t> purge_idempotent_answers(const ScopeId& scope, Timestamp before) override;

 private:
  Connection& connection_;
};

}  // namespace warifu::store

#pragma once

#include <cstdint>

#include "application_keys/records.h"
#include "store/connection.h"

namespace warifu::store {

// Everything of application_keys::Records in SQL.
class SqlApplicationKeyRecords final : public application_keys::Records {
 public:
  explicit SqlApplicationKeyRecords(Connection& connection) : connection_(connection) {}

  Result<std::vector<application_keys::ApplicationKey>> list_keys_of(const ScopeId& scope, const RegistrationId& id,
                                                                     std::size_t limit) override;
  Result<std::vector<RegistrationId>> list_holders(const ScopeId& scope, const std::optional<RegistrationId>& after,
                                                   std::size_t limit) override;
  Status insert_key(const application_keys::ApplicationKey& key) override;
  Status update_key(const application_keys::ApplicationKey& key) override;
  Status note_key(const application_keys::ApplicationKey& key) override;
  Status remove_key(const application_keys::ApplicationKey& key) override;

  // How many rows were written that need no audit entry.
  std::int64_t unaudited_rows() const { return unaudited_rows_; }

 private:
  Connection& connection_;
  std::int64_t unaudited_rows_ = 0;
};

}  // namespace warifu::store

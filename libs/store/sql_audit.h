#pragma once

#include <cstdint>
#include <optional>

#include "audit/entry.h"
#include "base/entropy.h"
#include "store/connection.h"

namespace warifu::store {

// Appends to the audit log, and nothing else: no statement that changes or removes an entry exists.
class SqlAuditTrail final : public audit::Trail {
 public:
  SqlAuditTrail(Connection& connection, const Clock& clock, Entropy& entropy)
      : connection_(connection), clock_(clock), entropy_(entropy) {}

  Status record(const ScopeId& scope, const audit::Entry& entry) override;

  // How many entries were recorded since this object was made, and the key of the last.
  std::int64_t recorded() const { return recorded_; }
  struct Key {
    ScopeId scope;
    Uuid audit_id;
  };
  const std::optional<Key>& last() const { return last_; }

 private:
  Connection& connection_;
  const Clock& clock_;
  Entropy& entropy_;
  std::int64_t recorded_ = 0;
  std::optional<Key> last_;
};

// Whether the entry is there. If a transaction that inserted it has not ended yet, this waits for its end. To be asked
// in a READ COMMITTED transaction that is then undone: what is asked by is an insertion of the same key.
Result<bool> is_recorded(Connection& connection, const SqlAuditTrail::Key& key);

// The time of the newest entry of all scopes.
Result<std::optional<Timestamp>> find_latest_audit_time(Connection& connection);

}  // namespace warifu::store

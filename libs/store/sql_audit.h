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

  // How many entries were recorded since this object was made.
  std::int64_t recorded() const { return recorded_; }

 private:
  Connection& connection_;
  const Clock& clock_;
  Entropy& entropy_;
  std::int64_t recorded_ = 0;
};

// The time of the newest entry of all scopes.
Result<std::optional<Timestamp>> find_latest_audit_time(Connection& connection);

}  // namespace warifu::store

#include "store/sql_audit.h"

namespace warifu::store {
namespace {

constexpr Sql kInsert =
    "INSERT INTO audit_entries (scope_id, audit_id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kProbe =
    "INSERT INTO audit_entries (scope_id, audit_id, at, actor, action, subject, detail) "
    "VALUES (?, ?, 0, '', '', '', '') ON CONFLICT (scope_id, audit_id) DO NOTHING";
// The last entry of each scope by its key: as fast with a thousand million entries as with one.
constexpr Sql kLatest =
    "SELECT max((SELECT at FROM audit_entries WHERE audit_entries.scope_id = scopes.scope_id ORDER BY audit_id DESC "
    "LIMIT 1)) "
    "FROM scopes";

}  // namespace

Status SqlAuditTrail::record(const ScopeId& scope, const audit::Entry& entry) {
  const Timestamp now = clock_.now();
  const Uuid id = Uuid::v7(now, entropy_);
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(scope, id, now, entry.actor, entry.action, entry.subject, entry.detail);
  TRY_STATUS(query.run());
  ++recorded_;
  last_ = Key{scope, id};
  return {};
}

Result<bool> is_recorded(Connection& connection, const SqlAuditTrail::Key& key) {
  TRY(auto query, connection.prepare(kProbe));
  query.bind(key.scope, key.audit_id);
  TRY_STATUS(query.run());
  return connection.changes() == 0;
}

Result<std::optional<Timestamp>> find_latest_audit_time(Connection& connection) {
  TRY(auto query, connection.prepare(kLatest));
  TRY_STATUS(query.step());
  return query.row().next<std::optional<Timestamp>>();
}

}  // namespace warifu::store

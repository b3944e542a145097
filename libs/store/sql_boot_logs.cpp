// Boot logs, each once, for as long as somebody refers to them.
#include "store/sql_records.h"
#include "store/sql_verifier.h"

namespace warifu::store {
namespace {

using verifier::StoredEventLog;

#define UNUSED                                                                                                       \
  "NOT EXISTS (SELECT 1 FROM attestation_ledgers WHERE attestation_ledgers.scope_id = boot_event_logs.scope_id AND " \
  "attestation_ledgers.event_log_sha256 = boot_event_logs.sha256) AND NOT EXISTS (SELECT 1 FROM "                    \
  "attestation_evidence WHERE attestation_evidence.scope_id = boot_event_logs.scope_id AND "                         \
  "attestation_evidence.event_log_sha256 = boot_event_logs.sha256)"

constexpr Sql kHas = "SELECT 1 FROM boot_event_logs WHERE scope_id = ? AND sha256 = ?";
constexpr Sql kFind =
    "SELECT scope_id, sha256, content, stored_at FROM boot_event_logs WHERE scope_id = ? AND sha256 = ?";
constexpr Sql kListUnused =
    "SELECT sha256 FROM boot_event_logs WHERE scope_id = ? AND stored_at < ? AND " UNUSED " ORDER BY stored_at LIMIT ?";
constexpr Sql kPut =
    "INSERT INTO boot_event_logs (scope_id, sha256, content, stored_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (scope_id, sha256) DO NOTHING";
constexpr Sql kRemoveUnused = "DELETE FROM boot_event_logs WHERE scope_id = ? AND sha256 = ? AND " UNUSED;

#undef UNUSED

Result<StoredEventLog> to_log(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto sha256, row.next<Bytes>());
  TRY(auto content, row.next<Bytes>());
  TRY(const auto stored_at, row.next<Timestamp>());
  return StoredEventLog{std::move(scope), std::move(sha256), std::move(content), stored_at};
}

Result<Bytes> to_digest(Row row) {
  return row.next<Bytes>();
}

}  // namespace

Result<bool> SqlVerifierRecords::has_event_log(const ScopeId& scope, ByteView sha256) {
  TRY(auto query, connection_.prepare(kHas));
  query.bind(scope, sha256);
  return query.step();
}

Result<std::optional<StoredEventLog>> SqlVerifierRecords::find_event_log(const ScopeId& scope, ByteView sha256) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, sha256);
  return read_one(query, to_log);
}

Result<std::vector<Bytes>> SqlVerifierRecords::list_unused_event_logs(const ScopeId& scope, Timestamp before,
                                                                      std::size_t limit) {
  TRY(auto query, connection_.prepare(kListUnused));
  query.bind(scope, before, limit_of(limit));
  return read_all(query, to_digest);
}

Status SqlVerifierRecords::put_event_log(const StoredEventLog& log) {
  TRY(auto query, connection_.prepare(kPut));
  query.bind(log.scope, log.sha256, log.content, log.stored_at);
  return run_unaudited(query);
}

Status SqlVerifierRecords::remove_unused_event_log(const ScopeId& scope, ByteView sha256) {
  TRY(auto query, connection_.prepare(kRemoveUnused));
  query.bind(scope, sha256);
  return run_unaudited(query);
}

}  // namespace warifu::store

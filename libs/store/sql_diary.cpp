// The diary of attempts: what is told, kept within bounds.
#include "store/sql_diary.h"

#include "store/sql_provisioning.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::Attempt;

#define ATTEMPT_COLUMNS                                                                                         \
  "scope_id, registration_id, tracking_id, at, peer_address, stage, code, message, peer_network, occurrences, " \
  "first_at, "                                                                                                  \
  "is_enrolled"

constexpr Sql kList = "SELECT " ATTEMPT_COLUMNS
                      " FROM attempts WHERE scope_id = ? AND registration_id = ? ORDER BY tracking_id DESC LIMIT ?";
constexpr Sql kCount =
    "SELECT count(*) FROM (SELECT 1 AS one FROM attempts WHERE scope_id = ? AND is_enrolled = ? LIMIT ?) AS counted";
constexpr Sql kInsert = "INSERT INTO attempts (" ATTEMPT_COLUMNS
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT (scope_id, registration_id, tracking_id) DO NOTHING";
constexpr Sql kFindRow =
    "SELECT tracking_id FROM attempts WHERE scope_id = ? AND registration_id = ? AND peer_network = ? AND stage = ? "
    "AND code = ? AND first_at > ? ORDER BY tracking_id DESC LIMIT 1";
constexpr Sql kCountUp =
    "UPDATE attempts SET tracking_id = ?, at = ?, peer_address = ?, message = ?, is_enrolled = ?, occurrences = "
    "occurrences + ? WHERE scope_id = ? AND registration_id = ? AND tracking_id = ? "
    "AND NOT EXISTS (SELECT 1 FROM attempts AS told WHERE told.scope_id = ? AND told.registration_id = ? AND "
    "told.tracking_id = ?)";
constexpr Sql kKeepNewest =
    "DELETE FROM attempts WHERE scope_id = ? AND registration_id = ? AND tracking_id NOT IN (SELECT "
    "newest.tracking_id FROM attempts AS newest WHERE newest.scope_id = ? AND newest.registration_id = ? ORDER BY "
    "newest.tracking_id DESC LIMIT ?)";
constexpr Sql kPurge =
    "DELETE FROM attempts WHERE (scope_id, registration_id, tracking_id) IN (SELECT scope_id, registration_id, "
    "tracking_id FROM attempts WHERE scope_id = ? AND at < ? ORDER BY at LIMIT ?)";
constexpr Sql kTrim =
    "DELETE FROM attempts WHERE (scope_id, registration_id, tracking_id) IN (SELECT scope_id, registration_id, "
    "tracking_id FROM attempts WHERE scope_id = ? AND is_enrolled = ? ORDER BY at LIMIT ?)";

#undef ATTEMPT_COLUMNS

// What a program of the schema before this one wrote has no time of its first.
Timestamp first_of(const Attempt& attempt) {
  return attempt.first_at == Timestamp() ? attempt.at : attempt.first_at;
}

Result<Attempt> to_attempt(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto tracking_id, row.next<Uuid>());
  TRY(const auto at, row.next<Timestamp>());
  TRY(auto peer_address, row.next<std::string>());
  TRY(auto stage, row.next<std::string>());
  TRY(auto code, row.next<std::string>());
  TRY(auto message, row.next<std::string>());
  TRY(auto peer_network, row.next<std::string>());
  TRY(const auto count, row.next<std::int64_t>());
  TRY(const auto first_at, row.next<Timestamp>());
  TRY(const auto is_enrolled, row.next<bool>());
  Attempt attempt{std::move(scope),
                  std::move(registration_id),
                  tracking_id,
                  at,
                  std::move(peer_address),
                  std::move(stage),
                  std::move(code),
                  std::move(message),
                  std::move(peer_network),
                  count,
                  first_at,
                  is_enrolled};
  attempt.first_at = first_of(attempt);
  return attempt;
}

Result<Uuid> to_tracking_id(Row row) {
  return row.next<Uuid>();
}

}  // namespace

Result<std::vector<Attempt>> SqlProvisioningRecords::list_attempts(const ScopeId& scope, const RegistrationId& id,
                                                                   std::size_t limit) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, id, limit_of(limit));
  return read_all(query, to_attempt);
}

Result<std::size_t> SqlProvisioningRecords::count_attempts(const ScopeId& scope, bool is_enrolled, std::size_t limit) {
  TRY(auto query, connection_.prepare(kCount));
  query.bind(scope, is_enrolled, limit_of(limit));
  return read_count(query);
}

Status SqlDiary::add(const Attempt& attempt) {
  TRY(const auto row, find_row(attempt));
  if (!row) return insert(attempt);
  // A transaction that is tried again after its commit was lost may find its own row.
  if (*row == attempt.tracking_id) return {};
  return count_up(*row, attempt);
}

Result<std::optional<Uuid>> SqlDiary::find_row(const Attempt& attempt) {
  TRY(auto query, connection_.prepare(kFindRow));
  query.bind(attempt.scope, attempt.registration_id, attempt.peer_network, attempt.stage, attempt.code,
             attempt.at - kTogether);
  return read_one(query, to_tracking_id);
}

Status SqlDiary::insert(const Attempt& attempt) {
  {
    TRY(auto query, connection_.prepare(kInsert));
    query.bind(attempt.scope, attempt.registration_id, attempt.tracking_id, attempt.at, attempt.peer_address,
               attempt.stage, attempt.code, attempt.message, attempt.peer_network, attempt.count, first_of(attempt),
               attempt.is_enrolled);
    TRY(const auto inserted, run(query));
    if (inserted == 0) return {};
  }
  TRY(auto query, connection_.prepare(kKeepNewest));
  query.bind(attempt.scope, attempt.registration_id, attempt.scope, attempt.registration_id,
             limit_of(kPerRegistrationMax));
  return run(query).map([](auto) {});
}

Status SqlDiary::count_up(const Uuid& row, const Attempt& attempt) {
  TRY(auto query, connection_.prepare(kCountUp));
  query.bind(attempt.tracking_id, attempt.at, attempt.peer_address, attempt.message, attempt.is_enrolled, attempt.count,
             attempt.scope, attempt.registration_id, row, attempt.scope, attempt.registration_id, attempt.tracking_id);
  return run(query).map([](auto) {});
}

Result<std::size_t> SqlDiary::purge(const ScopeId& scope, Timestamp before, std::size_t limit) {
  TRY(auto query, connection_.prepare(kPurge));
  query.bind(scope, before, limit_of(limit));
  return run(query);
}

Result<std::size_t> SqlDiary::trim(const ScopeId& scope, bool is_enrolled, std::size_t count) {
  TRY(auto query, connection_.prepare(kTrim));
  query.bind(scope, is_enrolled, limit_of(count));
  return run(query);
}

Result<std::size_t> SqlDiary::run(Query& query) {
  TRY_STATUS(query.run());
  rows_ += connection_.changes();
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace warifu::store

#include "store/sqlite_writer.h"

#include <fmt/format.h>

#include "store/migrations.h"

namespace warifu::store {
namespace {

constexpr Sql kBegin = "BEGIN IMMEDIATE";
constexpr Sql kCommit = "COMMIT";
constexpr Sql kRollback = "ROLLBACK";
constexpr Sql kSavepoint = "SAVEPOINT change";
constexpr Sql kRelease = "RELEASE change";
constexpr Sql kUndo = "ROLLBACK TO change";

// secure_delete: secrets are stored sealed or as a digest, so a freed page needs no write of its own; FAST wipes where
//   that costs none. (Debian's default writes every freed page.)
// wal_autocheckpoint: 16 MiB of log instead of 4. The pages that are written most, the last ones of each table, are
//   then carried over to the database once instead of four times.
// temp_store stays as it is: what a savepoint remembers of its pages then lies in one piece of memory instead of many
//   of 1 KiB, which saves a fifth of the work of a small change.
// cache_size: in KiB, for each connection, taken as it is needed. It holds the inner pages of the indexes of 10,000,000
//   devices; with a quarter of it a lookup among so many costs twice as much.
constexpr std::string_view kSettings =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA secure_delete = FAST;"
    "PRAGMA wal_autocheckpoint = 4096;"
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -65536;";

// Readers then never wait for the writer. The database remembers it, so this comes after it is known to be ours.
Status turn_on_wal(Connection& connection) {
  TRY(auto query, connection.prepare("PRAGMA journal_mode = WAL"));
  TRY_STATUS(query.step());
  TRY(const auto mode, query.row().next<std::string>());
  if (mode != "wal")
    return Error{ErrorKind::kUnavailable, "store.io",
                 fmt::format("the database cannot have a write-ahead log here (it has \"{}\")", mode)};
  return {};
}

}  // namespace

Result<SqliteConnection> open_connection(const SqliteOptions& options, SqliteConnection::Mode mode) {
  TRY(auto connection, SqliteConnection::open(options.path, mode, options.vfs));
  TRY_STATUS(connection.execute(fmt::format("PRAGMA busy_timeout = {}", options.busy_timeout.count())));
  TRY_STATUS(connection.execute(std::string(kSettings)));
  return connection;
}

Result<SqliteConnection> open_migrated(const SqliteOptions& options) {
  TRY(auto connection, open_connection(options, SqliteConnection::Mode::kCreate));
  TRY_STATUS(migrate(connection, sqlite_schema(), sqlite_migrations(), options.clock));
  TRY_STATUS(turn_on_wal(connection));
  return connection;
}

SqliteWriter::SqliteWriter(SqliteConnection connection, const Clock& clock, Entropy& entropy)
    : connection_(std::move(connection)), clock_(clock), entropy_(entropy) {
}

void SqliteWriter::commit_batch(std::span<Change> batch) {
  outcomes_.clear();
  const Status committed = commit(batch);
  // A refusal may rest on what another change of this batch wrote: when that is gone, so is the refusal.
  if (!committed) outcomes_.assign(batch.size(), committed);
  for (std::size_t i = 0; i < batch.size(); ++i)
    batch[i].done(std::move(outcomes_[i]));
}

Status SqliteWriter::check_clock() {
  if (!clock_guard_.knows_newest()) {
    TRY(const auto newest, find_latest_audit_time(connection_));
    clock_guard_.learn(newest);
  }
  return clock_guard_.check(clock_.now());
}

Status SqliteWriter::commit(std::span<Change> batch) {
  TRY_STATUS(check_clock());
  TRY_STATUS(connection_.run(kBegin));
  used_operators_ = false;
  has_appended_ = false;
  Status applied = apply_all(batch);
  if (applied) applied = connection_.run(kCommit);
  if (applied) {
    ++commits_;
    if (used_operators_) ++operators_version_;
    if (has_appended_ && outbox_wake_ != nullptr) outbox_wake_->wake();
    return applied;
  }
  // Should this fail too, the next BEGIN says so and nothing is committed.
  if (connection_.in_transaction()) std::ignore = connection_.run(kRollback);
  return applied;
}

Status SqliteWriter::apply_all(std::span<Change> batch) {
  for (Change& change : batch)
    TRY_STATUS(apply(change));
  return {};
}

// An error is the batch's; that of the change alone goes to outcomes_.
Status SqliteWriter::apply(Change& change) {
  TRY_STATUS(connection_.run(kSavepoint));
  SqlTransaction transaction(connection_, clock_, entropy_);
  Status outcome = transaction.run(change.apply);
  used_operators_ = used_operators_ || transaction.used_operators();
  has_appended_ = has_appended_ || (outcome && transaction.has_appended());
  // SQLite gives up the whole transaction by itself when it cannot write.
  if (!connection_.in_transaction()) {
    if (!outcome) return outcome;
    return Error{ErrorKind::kUnavailable, "store.io", "the database gave up the transaction"};
  }
  if (!outcome) TRY_STATUS(connection_.run(kUndo));
  TRY_STATUS(connection_.run(kRelease));
  outcomes_.push_back(std::move(outcome));
  return {};
}

}  // namespace warifu::store

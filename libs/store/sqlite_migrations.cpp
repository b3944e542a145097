#include "store/sqlite_migrations.h"

#include <fmt/format.h>

namespace warifu::store {
namespace {

constexpr std::int64_t kApplicationId = 0x57524655;  // "WRFU": what `file` and we know our databases by

constexpr Sql kBegin = "BEGIN IMMEDIATE";
constexpr Sql kCommit = "COMMIT";
constexpr Sql kRollback = "ROLLBACK";
constexpr Sql kCountTables = "SELECT count(*) FROM sqlite_schema";
constexpr Sql kApplied = "SELECT version, sha256 FROM schema_migrations ORDER BY version";
constexpr Sql kRemember = "INSERT INTO schema_migrations (version, sha256, applied_at) VALUES (?, ?, ?)";
constexpr Sql kCreateTable =
    "CREATE TABLE schema_migrations (version INTEGER NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER "
    "NOT NULL) STRICT";

Error refusal(std::string_view code, std::string message) {
  return {ErrorKind::kConflict, code, std::move(message)};
}

// How many of `known` the database took, from the first on.
Result<std::size_t> applied_of(Connection& connection, std::span<const Migration> known) {
  TRY(const auto tables, connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'"));
  TRY(const auto application, connection.integer("PRAGMA application_id"));
  TRY(const auto contents, connection.integer(kCountTables));
  if (contents == 0 && application == 0) return std::size_t{0};
  if (tables == 0 || application != kApplicationId)
    return refusal("store.schema.foreign", "this database was not made by warifud: name another file");

  TRY(auto query, connection.prepare(kApplied));
  std::size_t applied = 0;
  for (;;) {
    TRY(const bool more, query.step());
    if (!more) return applied;
    Row row = query.row();
    TRY(const auto version, row.next<std::int64_t>());
    TRY(const auto sha256, row.next<std::string>());
    if (applied == known.size())
      return refusal(
          "store.schema.newer",
          fmt::format("the database has schema version {}, this program knows versions up to {}: start a newer program",
                      version, known.size()));
    const Migration& expected = known[applied];
    if (version != expected.version || sha256 != expected.sha256)
      return refusal(
          "store.schema.changed",
          fmt::format("the database took schema version {} with SHA-256 {}, this program has version {} with {}: "
                      "start the program that made it, or restore a backup",
                      version, sha256, expected.version, expected.sha256));
    ++applied;
  }
}

Status apply(Connection& connection, const Migration& migration, const Clock& clock) {
  if (migration.version == 1) {
    TRY_STATUS(connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
    TRY_STATUS(connection.run(kCreateTable));
  }
  TRY_STATUS(connection.execute(migration.sql));
  TRY(auto query, connection.prepare(kRemember));
  query.bind(std::int64_t{migration.version}, migration.sha256, clock.now());
  return query.run();
}

// Applies the next missing step; false when there is none. What is missing is asked inside the transaction, because
// another process may be migrating too.
Result<bool> step(Connection& connection, std::span<const Migration> known, const Clock& clock) {
  TRY(const auto applied, applied_of(connection, known));
  if (applied == known.size()) return false;
  TRY_STATUS(apply(connection, known[applied], clock));
  return true;
}

}  // namespace

Status migrate(Connection& connection, std::span<const Migration> known, const Clock& clock) {
  // A database that is up to date is opened without waiting for another's write.
  TRY(auto applied, applied_of(connection, known));
  bool missing = applied < known.size();
  while (missing) {
    TRY_STATUS(connection.run(kBegin));
    const auto stepped = step(connection, known, clock);
    Status ended = stepped ? connection.run(kCommit) : Status(stepped.error());
    if (!ended) {
      if (connection.in_transaction()) TRY_STATUS(connection.run(kRollback));
      return ended;
    }
    missing = *stepped;
  }
  return {};
}

Status check_schema(Connection& connection, std::span<const Migration> known) {
  TRY(const auto applied, applied_of(connection, known));
  if (applied < known.size())
    return refusal("store.schema.older",
                   fmt::format("the database has schema version {}, this program wants {}", applied, known.size()));
  return {};
}

}  // namespace warifu::store

#include "store/migrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

constexpr Sql kCommit = "COMMIT";
constexpr Sql kRollback = "ROLLBACK";
constexpr Sql kApplied = "SELECT version, sha256 FROM schema_migrations ORDER BY version";
// A step without a promise is for programs that know it.
constexpr Sql kOldestProgram =
    "SELECT max(CASE WHEN compatible_from < 1 THEN version ELSE compatible_from END) FROM schema_migrations "
    "WHERE version > ?";
constexpr Sql kRemember = "INSERT INTO schema_migrations (version, sha256, applied_at) VALUES (?, ?, ?)";
constexpr Sql kRememberRolling =
    "INSERT INTO schema_migrations (version, sha256, applied_at, compatible_from) VALUES (?, ?, ?, ?)";

Error refusal(std::string_view code, std::string message) {
  return {ErrorKind::kConflict, code, std::move(message)};
}

struct Step {
  std::int64_t version;
  std::string sha256;
};

Result<Step> to_step(Row row) {
  TRY(const auto version, row.next<std::int64_t>());
  TRY(auto sha256, row.next<std::string>());
  return Step{version, std::move(sha256)};
}

Result<std::vector<Step>> applied_steps(Connection& connection) {
  TRY(auto query, connection.prepare(kApplied));
  return read_all(query, to_step);
}

// Whether a program that knows `known` versions may work with a database that has taken `newest`.
Status may_work_with(Connection& connection, std::int64_t newest, std::size_t known) {
  const auto refuse = [&](std::string_view why) {
    return refusal("store.schema.newer",
                   fmt::format("the database has schema version {}, this program knows versions up to {}{}: start a "
                               "newer program",
                               newest, known, why));
  };
  if (newest < kFirstRollingVersion) return refuse("");
  TRY(auto query, connection.prepare(kOldestProgram));
  query.bind(static_cast<std::int64_t>(known));
  TRY_STATUS(query.step());
  TRY(const auto oldest, query.row().next<std::int64_t>());
  if (std::cmp_less_equal(oldest, known)) return {};
  return refuse(fmt::format(", and it takes one that knows version {}", oldest));
}

// How many of `known` the database took, from the first on: all of them, if it took more.
Result<std::size_t> applied_of(Connection& connection, const SchemaDialect& dialect, std::span<const Migration> known) {
  TRY(const auto contents, dialect.look(connection));
  if (contents == SchemaDialect::Contents::kNothing) return std::size_t{0};
  if (contents == SchemaDialect::Contents::kForeign)
    return refusal("store.schema.foreign", "this database was not made by warifud: name another");

  TRY(const auto steps, applied_steps(connection));
  for (std::size_t i = 0; i < std::min(steps.size(), known.size()); ++i)
    if (steps[i].version != known[i].version || steps[i].sha256 != known[i].sha256)
      return refusal(
          "store.schema.changed",
          fmt::format("the database took schema version {} with SHA-256 {}, this program has version {} with {}: "
                      "start the program that made it, or restore a backup",
                      steps[i].version, steps[i].sha256, known[i].version, known[i].sha256));
  if (steps.size() > known.size()) TRY_STATUS(may_work_with(connection, steps.back().version, known.size()));
  return std::min(steps.size(), known.size());
}

Status remember(Connection& connection, const Migration& migration, const Clock& clock) {
  const std::int64_t version = migration.version;
  if (version < kFirstRollingVersion) {
    TRY(auto query, connection.prepare(kRemember));
    query.bind(version, migration.sha256, clock.now());
    return query.run();
  }
  TRY(auto query, connection.prepare(kRememberRolling));
  query.bind(version, migration.sha256, clock.now(), std::int64_t{migration.compatible_from});
  return query.run();
}

// Applies the next missing step; false when there is none. What is missing is asked inside the transaction, because
// another process may be migrating too.
Result<bool> step(Connection& connection, const SchemaDialect& dialect, std::span<const Migration> known,
                  const Clock& clock) {
  TRY(const auto applied, applied_of(connection, dialect, known));
  if (applied == known.size()) return false;
  const Migration& migration = known[applied];
  if (applied == 0) TRY_STATUS(dialect.make_ours(connection));
  TRY_STATUS(connection.execute(migration.sql));
  TRY_STATUS(remember(connection, migration, clock));
  return true;
}

}  // namespace

Status migrate(Connection& connection, const SchemaDialect& dialect, std::span<const Migration> known,
               const Clock& clock) {
  // A database that is up to date is opened without waiting for another's write.
  TRY(auto applied, applied_of(connection, dialect, known));
  bool missing = applied < known.size();
  while (missing) {
    Status begun = dialect.begin_alone(connection);
    const auto stepped = begun ? step(connection, dialect, known, clock) : Result<bool>(begun.error());
    Status ended = stepped ? connection.run(kCommit) : Status(stepped.error());
    if (!ended) {
      if (connection.in_transaction()) TRY_STATUS(connection.run(kRollback));
      return ended;
    }
    missing = *stepped;
  }
  return {};
}

Status check_schema(Connection& connection, const SchemaDialect& dialect, std::span<const Migration> known) {
  TRY(const auto applied, applied_of(connection, dialect, known));
  if (applied < known.size())
    return refusal("store.schema.older",
                   fmt::format("the database has schema version {}, this program wants {}", applied, known.size()));
  return {};
}

}  // namespace warifu::store

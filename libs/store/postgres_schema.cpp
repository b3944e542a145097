#include "store/migrations.h"

namespace warifu::store {
namespace {

constexpr Sql kBegin = "BEGIN ISOLATION LEVEL READ COMMITTED";
constexpr Sql kCountTables =
    "SELECT count(*) FROM information_schema.tables "
    "WHERE table_schema = current_schema() AND table_name <> 'schema_lock'";
constexpr Sql kCountOwnTables =
    "SELECT count(*) FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name = 'schema_migrations' AND column_name = 'sha256'";
constexpr Sql kCreateLock = "CREATE TABLE IF NOT EXISTS schema_lock (lock_id BIGINT NOT NULL PRIMARY KEY)";
constexpr Sql kInsertLock = "INSERT INTO schema_lock (lock_id) VALUES (1) ON CONFLICT (lock_id) DO NOTHING";
constexpr Sql kLock = "SELECT lock_id FROM schema_lock WHERE lock_id = 1 FOR UPDATE";
constexpr Sql kCreateTable =
    "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, sha256 TEXT COLLATE \"C\" NOT NULL, "
    "applied_at BIGINT NOT NULL)";

class PostgresSchema final : public SchemaDialect {
 public:
  Result<Contents> look(Connection& connection) const override {
    TRY(const auto tables, connection.integer(kCountTables));
    if (tables == 0) return Contents::kNothing;
    TRY(const auto own, connection.integer(kCountOwnTables));
    return own == 1 ? Contents::kOurs : Contents::kForeign;
  }

  // A row that is locked, as every database that speaks like PostgreSQL can do it.
  Status begin_alone(Connection& connection) const override {
    TRY_STATUS(make_lock(connection));
    TRY_STATUS(connection.run(kBegin));
    TRY(auto query, connection.prepare(kLock));
    TRY_STATUS(query.step());
    return {};
  }
  Status make_ours(Connection& connection) const override { return connection.run(kCreateTable); }

 private:
  // Two that make the same table at once may both find that it is not there: the second meets the table, its type or
  // their rows in the catalogue, whichever the first has written by then, and finds the table at its next try.
  static Status make_lock(Connection& connection) {
    constexpr int kTries = 5;
    Status made;
    for (int i = 0; i < kTries; ++i) {
      made = connection.run(kCreateLock);
      if (made) return connection.run(kInsertLock);
      if (made.error().code != "store.unique") break;
    }
    return made;
  }
};

}  // namespace

const SchemaDialect& postgres_schema() {
  static const PostgresSchema schema;
  return schema;
}

}  // namespace warifu::store

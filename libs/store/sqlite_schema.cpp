#include <fmt/format.h>

#include "store/migrations.h"

namespace warifu::store {
namespace {

constexpr std::int64_t kApplicationId = 0x57524655;  // "WRFU": what `file` and we know our databases by

constexpr Sql kBegin = "BEGIN IMMEDIATE";
constexpr Sql kCountTables = "SELECT count(*) FROM sqlite_schema";
constexpr Sql kCountOwnTables = "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'";
constexpr Sql kApplication = "PRAGMA application_id";
constexpr Sql kCreateTable =
    "CREATE TABLE schema_migrations (version INTEGER NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER "
    "NOT NULL) STRICT";

class SqliteSchema final : public SchemaDialect {
 public:
  Result<Contents> look(Connection& connection) const override {
    TRY(const auto own, connection.integer(kCountOwnTables));
    TRY(const auto application, connection.integer(kApplication));
    TRY(const auto tables, connection.integer(kCountTables));
    if (tables == 0 && application == 0) return Contents::kNothing;
    return own == 1 && application == kApplicationId ? Contents::kOurs : Contents::kForeign;
  }
  // The one write lock.
  Status begin_alone(Connection& connection) const override { return connection.run(kBegin); }
  Status make_ours(Connection& connection) const override {
    TRY_STATUS(connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
    return connection.run(kCreateTable);
  }
};

}  // namespace

const SchemaDialect& sqlite_schema() {
  static const SqliteSchema schema;
  return schema;
}

}  // namespace warifu::store

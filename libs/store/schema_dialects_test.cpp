// SQLite and PostgreSQL hold the same tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_world_test.h"
#include "store/migrations.h"
#include "store/sql_records.h"
#include "store/sqlite_connection.h"

namespace warifu::store {
namespace {

Result<std::string> to_text(Row row) {
  return row.next<std::string>();
}

std::vector<std::string> lines(Connection& connection, Sql sql) {
  auto query = connection.prepare(sql);
  EXPECT_TRUE(query) << to_string(query.error());
  auto found = read_all(*query, to_text);
  EXPECT_TRUE(found) << to_string(found.error());
  std::ranges::sort(*found);
  return *std::move(found);
}

// "table.column type null|not null key-position"
constexpr Sql kSqliteColumns =
    "SELECT t.name || '.' || c.name || ' ' || c.type || CASE WHEN c.\"notnull\" = 1 THEN ' not null ' ELSE ' null ' "
    "END "
    "|| c.pk FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'";
constexpr Sql kPostgresColumns =
    "SELECT c.table_name || '.' || c.column_name || ' ' || CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' "
    "THEN 'BLOB' WHEN 'text' THEN 'TEXT' ELSE c.data_type END || CASE c.is_nullable WHEN 'NO' THEN ' not null ' ELSE "
    "' null ' END || coalesce((SELECT k.ordinal_position FROM information_schema.table_constraints AS p JOIN "
    "information_schema.key_column_usage AS k ON k.constraint_name = p.constraint_name AND k.table_schema = "
    "p.table_schema AND k.table_name = p.table_name WHERE p.constraint_type = 'PRIMARY KEY' AND p.table_schema = "
    "c.table_schema AND p.table_name = c.table_name AND k.column_name = c.column_name), 0) FROM "
    "information_schema.columns AS c WHERE c.table_schema = current_schema() AND c.table_name <> 'schema_lock'";

// "table unique|index (columns) [partial]" of every index but that of the key.
constexpr Sql kSqliteIndexes =
    "SELECT t.name || CASE i.\"unique\" WHEN 1 THEN ' unique' ELSE ' index' END || ' (' || (SELECT "
    "group_concat(coalesce(c.name, 'expression'), ', ') FROM pragma_index_info(i.name) AS c) || ')' || CASE i.partial "
    "WHEN 1 THEN ' partial' ELSE '' END FROM sqlite_schema AS t JOIN pragma_index_list(t.name) AS i WHERE t.type = "
    "'table' AND i.origin <> 'pk'";
constexpr Sql kPostgresIndexes =
    "SELECT t.relname::text || CASE WHEN i.indisunique THEN ' unique (' ELSE ' index (' END || (SELECT "
    "string_agg(coalesce(a.attname::text, 'expression'), ', ' ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH "
    "ORDINALITY AS k (number, place) LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number "
    "AND "
    "k.number > 0) || ')' || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END FROM pg_index AS i JOIN "
    "pg_class AS t ON t.oid = i.indrelid WHERE t.relnamespace = current_schema()::regnamespace AND NOT i.indisprimary";

// "table (columns) -> table"
constexpr Sql kSqliteReferences =
    "SELECT t.name || ' (' || group_concat(f.\"from\", ', ') || ') -> ' || f.\"table\" FROM sqlite_schema AS t JOIN "
    "pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table' GROUP BY t.name, f.id";
constexpr Sql kPostgresReferences =
    "SELECT conrelid::regclass::text || ' (' || split_part(split_part(pg_get_constraintdef(oid), '(', 2), ')', 1) || "
    "') "
    "-> ' || confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND connamespace = "
    "current_schema()::regnamespace";

class SchemaDialectsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(open_sqlite(world_), nullptr);
    ASSERT_NE(open_postgres(world_), nullptr);
    auto sqlite = SqliteConnection::open(world_.dir.path() / "db", SqliteConnection::Mode::kExisting);
    ASSERT_TRUE(sqlite);
    sqlite_ = std::make_unique<SqliteConnection>(*std::move(sqlite));
    auto postgres = PostgresConnection::open({.url = world_.url});
    ASSERT_TRUE(postgres);
    postgres_ = *std::move(postgres);
  }
  World world_;
  std::unique_ptr<SqliteConnection> sqlite_;
  std::unique_ptr<PostgresConnection> postgres_;
};

TEST_F(SchemaDialectsTest, HaveTheSameVersions) {
  const auto sqlite = sqlite_migrations();
  const auto postgres = postgres_migrations();
  ASSERT_EQ(sqlite.size(), postgres.size());
  for (std::size_t i = 0; i < sqlite.size(); ++i) {
    EXPECT_EQ(sqlite[i].name, postgres[i].name);
    EXPECT_EQ(sqlite[i].compatible_from, postgres[i].compatible_from) << sqlite[i].name;
  }
}

TEST_F(SchemaDialectsTest, HaveTheSameColumnsAndKeys) {
  const auto columns = lines(*sqlite_, kSqliteColumns);
  EXPECT_GT(columns.size(), 50U);
  EXPECT_EQ(columns, lines(*postgres_, kPostgresColumns));
}

TEST_F(SchemaDialectsTest, HaveTheSameIndexes) {
  const auto indexes = lines(*sqlite_, kSqliteIndexes);
  EXPECT_THAT(indexes, testing::IsSupersetOf({"operations unique (scope_id, challenge_id)",
                                              "group_eks unique (scope_id, registration_id) partial",
                                              "attestation_ledgers index (scope_id, expression, registration_id)"}));
  EXPECT_EQ(indexes, lines(*postgres_, kPostgresIndexes));
}

TEST_F(SchemaDialectsTest, HaveTheSameReferences) {
  const auto references = lines(*sqlite_, kSqliteReferences);
  EXPECT_THAT(references, testing::Contains("escrow_deposits (scope_id, device_id) -> devices"));
  EXPECT_EQ(references, lines(*postgres_, kPostgresReferences));
}

TEST_F(SchemaDialectsTest, PostgresComparesTextByItsBytes) {
  EXPECT_EQ(postgres_
                ->integer("SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND "
                          "data_type = 'text' AND collation_name IS DISTINCT FROM 'C'")
                .value(),
            0);
}

}  // namespace
}  // namespace warifu::store

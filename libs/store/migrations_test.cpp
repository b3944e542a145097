#include "store/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/sample_records.h"
#include "store/sqlite_writer.h"

namespace warifu::store {
namespace {

class MigrationsTest : public testing::Test {
 protected:
  SqliteConnection connect() {
    auto connection = SqliteConnection::open(dir_.path() / "db", SqliteConnection::Mode::kCreate);
    EXPECT_TRUE(connection);
    return *std::move(connection);
  }
  std::string refusal(std::span<const Migration> known) {
    auto connection = connect();
    const Status status = migrate(connection, sqlite_schema(), known, clock_);
    EXPECT_FALSE(status);
    if (status) return {};
    EXPECT_EQ(status.error().kind, ErrorKind::kConflict);
    return std::string(status.error().code) + ": " + status.error().message;
  }
  static std::string schema_of(Connection& connection) {
    auto query = connection.prepare("SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
    EXPECT_TRUE(query->step().value_or(false));
    return query->row().next<std::string>().value_or("");
  }

  TempDir dir_;
  const sim::SteppingClock clock_{sample::time(0)};
  const std::vector<Migration> three_{{1, "0001_a", "aa", "CREATE TABLE a (x INTEGER PRIMARY KEY) STRICT", 1},
                                      {2, "0002_b", "bb", "CREATE TABLE b (x INTEGER PRIMARY KEY) STRICT", 2},
                                      {3, "0003_c", "cc", "ALTER TABLE a ADD COLUMN y TEXT", 3}};
};

TEST_F(MigrationsTest, AreNumberedWithoutAGap) {
  int expected = 1;
  for (const Migration& migration : sqlite_migrations())
    EXPECT_EQ(migration.version, expected++) << migration.name;
}

TEST_F(MigrationsTest, AFreshSchemaIsThatWhichWasMigratedStepByStep) {
  for (const std::span<const Migration> all : {sqlite_migrations(), std::span<const Migration>(three_)}) {
    const TempDir fresh;
    auto at_once = SqliteConnection::open(fresh.path() / "db", SqliteConnection::Mode::kCreate);
    ASSERT_TRUE(migrate(*at_once, sqlite_schema(), all, clock_));
    const TempDir grown;
    for (std::size_t known = 1; known <= all.size(); ++known) {
      auto stepwise = SqliteConnection::open(grown.path() / "db", SqliteConnection::Mode::kCreate);
      ASSERT_TRUE(migrate(*stepwise, sqlite_schema(), all.first(known), clock_));
    }
    auto stepwise = SqliteConnection::open(grown.path() / "db", SqliteConnection::Mode::kExisting);
    EXPECT_EQ(schema_of(*stepwise), schema_of(*at_once));
  }
}

TEST_F(MigrationsTest, ADatabaseOfANewerProgramIsRefusedByBothVersions) {
  auto connection = connect();
  ASSERT_TRUE(migrate(connection, sqlite_schema(), three_, clock_));
  EXPECT_THAT(refusal(std::span(three_).first(2)),
              testing::AllOf(testing::StartsWith("store.schema.newer"), testing::HasSubstr("version 3"),
                             testing::HasSubstr("up to 2")));
}

TEST_F(MigrationsTest, AChangedStepIsRefusedByBothHashes) {
  auto connection = connect();
  ASSERT_TRUE(migrate(connection, sqlite_schema(), three_, clock_));
  auto changed = three_;
  changed[1].sha256 = "dd";
  EXPECT_THAT(refusal(changed), testing::AllOf(testing::StartsWith("store.schema.changed"),
                                               testing::HasSubstr("SHA-256 bb"), testing::HasSubstr("with dd")));
}

TEST_F(MigrationsTest, AForeignDatabaseIsRefusedAndNotTouched) {
  auto connection = connect();
  ASSERT_TRUE(connection.execute("CREATE TABLE notes (text TEXT)"));
  EXPECT_THAT(refusal(three_), testing::StartsWith("store.schema.foreign"));
  sim::SeededEntropy entropy(1);
  const auto opened = open_migrated({.path = dir_.path() / "db", .clock = clock_, .entropy = entropy});
  ASSERT_FALSE(opened);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'delete'").value(), 1);
}

TEST_F(MigrationsTest, AStepThatFailsLeavesTheVersionBefore) {
  auto broken = three_;
  broken[2].sql = "CREATE TABLE c (x INTEGER PRIMARY KEY) STRICT; CREATE TABLE a (x INTEGER)";
  auto connection = connect();
  const Status status = migrate(connection, sqlite_schema(), broken, clock_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "store.sql");
  EXPECT_TRUE(check_schema(connection, sqlite_schema(), std::span(three_).first(2)));
  EXPECT_EQ(check_schema(connection, sqlite_schema(), three_).error().code, "store.schema.older");
  EXPECT_EQ(connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'c'").value(), 0);
  EXPECT_TRUE(migrate(connection, sqlite_schema(), three_, clock_));
}

TEST_F(MigrationsTest, EveryTableHasAKeyThatBeginsWithItsScope) {
  auto connection = connect();
  ASSERT_TRUE(migrate(connection, sqlite_schema(), sqlite_migrations(), clock_));
  EXPECT_EQ(
      connection
          .integer(
              "SELECT count(*) FROM sqlite_schema AS t WHERE t.type = 'table' AND t.name <> 'schema_migrations' AND "
              "NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'scope_id' AND pk = 1)")
          .value(),
      0);
}

// What a program of an earlier release made: the schema before there was `compatible_from`.
TEST_F(MigrationsTest, DatabasesOfEveryEarlierVersionAreBroughtUpToDate) {
  const auto all = sqlite_migrations();
  for (std::size_t version = 1; version < all.size(); ++version) {
    const TempDir old;
    auto connection = SqliteConnection::open(old.path() / "db", SqliteConnection::Mode::kCreate);
    ASSERT_TRUE(migrate(*connection, sqlite_schema(), all.first(version), clock_));
    ASSERT_TRUE(connection->execute("INSERT INTO scopes VALUES ('here', 'Example', 1)"));
    EXPECT_EQ(check_schema(*connection, sqlite_schema(), all).error().code, "store.schema.older");
    ASSERT_TRUE(migrate(*connection, sqlite_schema(), all, clock_)) << "from version " << version;
    EXPECT_TRUE(check_schema(*connection, sqlite_schema(), all));
    EXPECT_EQ(connection->integer("SELECT count(*) FROM scopes").value(), 1);
    EXPECT_EQ(connection
                  ->integer("SELECT count(*) FROM schema_migrations WHERE compatible_from NOT BETWEEN 1 AND "
                            "version")
                  .value(),
              0);
  }
}

class RollingVersionsTest : public MigrationsTest {
 protected:
  // What a program says that knows only the first `known` versions.
  std::string opened_by(std::size_t known, const std::vector<Migration>& made) {
    const TempDir dir;
    auto connection = SqliteConnection::open(dir.path() / "db", SqliteConnection::Mode::kCreate);
    EXPECT_TRUE(migrate(*connection, sqlite_schema(), made, clock_));
    const Status opened = migrate(*connection, sqlite_schema(), std::span(made).first(known), clock_);
    const Status checked = check_schema(*connection, sqlite_schema(), std::span(made).first(known));
    EXPECT_EQ(opened.has_value(), checked.has_value());
    return opened ? "" : std::string(opened.error().code);
  }
  static std::vector<Migration> up_to_four() {
    const auto all = sqlite_migrations();
    return {all.begin(), all.begin() + kFirstRollingVersion};
  }
};

TEST_F(RollingVersionsTest, AnOlderProgramWorksWithANewerSchemaThatSaysSo) {
  auto made = up_to_four();
  made.push_back({5, "0005_a", "e5", "ALTER TABLE scopes ADD COLUMN note TEXT", 4});
  EXPECT_EQ(opened_by(4, made), "");
  EXPECT_EQ(opened_by(3, made), "store.schema.newer") << "it does not know how to ask";
}

TEST_F(RollingVersionsTest, AndNotWithOneThatDoesNot) {
  auto made = up_to_four();
  made.push_back({5, "0005_a", "e5", "ALTER TABLE scopes ADD COLUMN note TEXT", 4});
  made.push_back({6, "0006_b", "e6", "ALTER TABLE scopes DROP COLUMN note", 6});
  made.push_back({7, "0007_c", "e7", "ALTER TABLE scopes ADD COLUMN note TEXT", 4});
  EXPECT_EQ(opened_by(6, made), "");
  EXPECT_EQ(opened_by(5, made), "store.schema.newer") << "a later step does not take back what an earlier one asked";
  EXPECT_EQ(opened_by(4, made), "store.schema.newer");
}

TEST_F(RollingVersionsTest, AndNotWithAStepThatPromisesNothing) {
  auto connection = connect();
  ASSERT_TRUE(migrate(connection, sqlite_schema(), sqlite_migrations(), clock_));
  ASSERT_TRUE(connection.execute("INSERT INTO schema_migrations (version, sha256, applied_at) VALUES (99, 'ff', 1)"));
  EXPECT_THAT(refusal(sqlite_migrations()), testing::StartsWith("store.schema.newer"));
}

TEST_F(RollingVersionsTest, StillRefusesAnotherStepOfANumberThatItKnows) {
  auto made = up_to_four();
  made.push_back({5, "0005_a", "e5", "ALTER TABLE scopes ADD COLUMN note TEXT", 4});
  auto connection = connect();
  ASSERT_TRUE(migrate(connection, sqlite_schema(), made, clock_));
  auto other = up_to_four();
  other[3].sha256 = "ff";
  EXPECT_THAT(refusal(other), testing::StartsWith("store.schema.changed"));
}

}  // namespace
}  // namespace warifu::store

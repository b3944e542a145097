#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/conformance_fixture_test.h"
#include "store/sqlite_writer.h"

// How SQLite looks for what the repositories ask: a query that reads a whole table, or all rows of a scope, is as slow
// as the fleet is large. Each statement that the conformance tests have run in this process is asked for its plan.
namespace warifu::store {
namespace {

std::mutex mutex;
std::set<std::string> statements;

int record(unsigned, void*, void* statement, void*) {
  const char* sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
  const std::lock_guard lock(mutex);
  if (sql != nullptr && running_conformance) statements.insert(sql);
  return 0;
}

int install(sqlite3* connection, const char**, const sqlite3_api_routines*) {
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, record, nullptr);
}

// These look at few rows whatever the fleet: the scopes, what one operator has, one row, or a bounded count.
constexpr std::array<std::string_view, 8> kSmall = {
    "FROM scopes", "FROM service_keys", "FROM access_tokens",    "FROM bootstrap_tokens", "FROM removed_groups",
    "AS one",      "FROM webhooks",     "FROM webhook_progress",
};

bool is_small(const std::string& sql) {
  return std::ranges::any_of(kSmall, [&](std::string_view part) { return sql.find(part) != std::string::npos; });
}

// "SEARCH devices USING INDEX devices_of_ek (scope_id=? AND ek_name=?)" is how it should look.
bool reads_too_much(std::string_view step) {
  return step.starts_with("SCAN ") || step.ends_with("(scope_id=?)");
}

// The outbox may be long while a receiver is away, and is asked with each delivery.
bool sorts_the_outbox(std::string_view sql, std::string_view step) {
  return sql.find("webhook_deliveries") != std::string_view::npos && step.starts_with("USE TEMP B-TREE");
}

std::string bad_step_of(sqlite3* connection, const std::string& sql) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(connection, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    return sqlite3_errmsg(connection);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> plan(prepared, sqlite3_finalize);
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    const std::string step = reinterpret_cast<const char*>(sqlite3_column_text(prepared, 3));
    if (reads_too_much(step) || sorts_the_outbox(sql, step)) return step;
  }
  return {};
}

std::unique_ptr<sqlite3, decltype(&sqlite3_close)> migrated(const std::filesystem::path& path) {
  const sim::SteppingClock clock{sample::time(0)};
  sim::SeededEntropy entropy(1);
  EXPECT_TRUE(open_migrated({.path = path, .clock = clock, .entropy = entropy}));
  sqlite3* connection = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &connection), SQLITE_OK);
  return {connection, sqlite3_close};
}

class QueryPlans : public testing::Environment {
 public:
  void SetUp() override { sqlite3_auto_extension(reinterpret_cast<void (*)()>(install)); }
  void TearDown() override {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(install));
    const TempDir folder;
    const auto connection = migrated(folder.path() / "db");
    for (const auto& sql : statements) {
      if (is_small(sql)) continue;
      const std::string bad = bad_step_of(connection.get(), sql);
      EXPECT_EQ(bad, "") << "this reads as many rows as there are: " << sql;
    }
  }
};

const auto* const environment = testing::AddGlobalTestEnvironment(new QueryPlans);

TEST(QueryPlan, OfALookThroughAllIsFoundOut) {
  const TempDir folder;
  const auto connection = migrated(folder.path() / "db");
  EXPECT_NE(bad_step_of(connection.get(), "SELECT device_id FROM devices WHERE assigned_hub = ?"), "");
  EXPECT_NE(bad_step_of(connection.get(), "SELECT device_id FROM devices WHERE scope_id = ? AND assigned_hub = ?"), "");
  EXPECT_EQ(bad_step_of(connection.get(), "SELECT device_id FROM devices WHERE scope_id = ? AND registration_id = ?"),
            "");
  EXPECT_NE(bad_step_of(connection.get(),
                        "SELECT body FROM webhook_deliveries WHERE scope_id = ? AND name = ? AND "
                        "due_at <= ? ORDER BY created_at LIMIT 1"),
            "");
}

}  // namespace
}  // namespace warifu::store

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/postgres_cluster.h"
#include "store/postgres_store.h"
#include "store/sample_records.h"
#include "store/sqlite_store.h"

// Every database that can stand behind Store, for the tests that all of them must pass.
namespace warifu::store {

// What a database needs around it.
struct World {
  TempDir dir;
  sim::SteppingClock clock{sample::time(0)};
  sim::SeededEntropy entropy{1};
  std::string url;  // of a server's database
  std::unique_ptr<Store> store;
};

struct Backend {
  const char* name;
  // An empty database, or that which this world had before.
  std::unique_ptr<Store> (*open)(World&);
};

template <class Opened>
std::unique_ptr<Store> or_null(Result<std::unique_ptr<Opened>>&& opened) {
  EXPECT_TRUE(opened) << to_string(opened.error());
  return opened ? *std::move(opened) : nullptr;
}

inline std::unique_ptr<Store> open_sqlite(World& world) {
  return or_null(SqliteStore::open({.path = world.dir.path() / "db", .clock = world.clock, .entropy = world.entropy}));
}

inline std::unique_ptr<Store> open_postgres(World& world) {
  if (world.url.empty()) world.url = PostgresCluster::shared().fresh_url();
  return or_null(PostgresStore::open({.url = world.url, .clock = world.clock, .entropy = world.entropy}));
}

inline constexpr Backend kBackends[] = {{"SQLite", open_sqlite}, {"PostgreSQL", open_postgres}};

inline std::string name_of_backend(const testing::TestParamInfo<Backend>& info) {
  return info.param.name;
}

}  // namespace warifu::store

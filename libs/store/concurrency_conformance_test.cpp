// What the product may rely on when many do something at once, whichever database stands behind Store; and that a store
// which is wrong on purpose is found out by the same checks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_checks.h"
#include "store/conformance_world_test.h"
#include "store/sqlite_connection.h"

namespace warifu::store {
namespace {

class ConcurrencyConformance : public testing::TestWithParam<std::tuple<Backend, checks::Check>> {};

TEST_P(ConcurrencyConformance, Holds) {
  const auto& [backend, check] = GetParam();
  World world;
  world.store = backend.open(world);
  ASSERT_NE(world.store, nullptr);
  ASSERT_TRUE(checks::make_scope(*world.store));
  const Status held = check.run(*world.store);
  EXPECT_TRUE(held) << to_string(held.error());
}

INSTANTIATE_TEST_SUITE_P(Databases, ConcurrencyConformance,
                         testing::Combine(testing::ValuesIn(kBackends), testing::ValuesIn(checks::kAll)),
                         [](const auto& parameter) {
                           return std::string(std::get<0>(parameter.param).name) + std::get<1>(parameter.param).name;
                         });

// Wrong on purpose: every statement is committed for itself, or in a transaction that does not notice the others and is
// not tried again.
class PlantedStore final : public Store {
 public:
  using Open = std::function<std::unique_ptr<Connection>()>;
  PlantedStore(World& world, Open open, bool is_serial, const char* begin)
      : world_(world), open_(std::move(open)), is_serial_(is_serial), begin_(begin) {}

  Status read(const std::function<Status(Snapshot&)>& use) override {
    const auto connection = open_();
    SqlSnapshot snapshot(*connection);
    return use(snapshot);
  }
  void submit(Change change) override {
    std::unique_lock lock(mutex_, std::defer_lock);
    if (is_serial_) lock.lock();
    change.done(run(change));
  }
  Result<std::optional<Timestamp>> latest_audit_at() override { return find_latest_audit_time(*open_()); }

 private:
  Status run(const Change& change) {
    const auto connection = open_();
    if (begin_ != nullptr) TRY_STATUS(connection->execute(begin_));
    SqlTransaction transaction(*connection, world_.clock, world_.entropy);
    Status outcome = transaction.run(change.apply);
    if (begin_ != nullptr) TRY_STATUS(connection->execute(outcome ? "COMMIT" : "ROLLBACK"));
    return outcome;
  }

  World& world_;
  const Open open_;
  const bool is_serial_;
  const char* const begin_;
  std::mutex mutex_;
};

std::vector<std::string> findings_of(Store& store) {
  std::vector<std::string> found;
  EXPECT_TRUE(checks::make_scope(store));
  for (const auto& check : checks::kAll)
    if (!check.run(store)) found.emplace_back(check.name);
  return found;
}

class PlantedStoreTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> open_postgres_connection() {
    auto opened = PostgresConnection::open({.url = world_.url});
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }
  std::unique_ptr<Connection> open_sqlite_connection() {
    auto opened = SqliteConnection::open(world_.dir.path() / "db", SqliteConnection::Mode::kExisting);
    EXPECT_TRUE(opened);
    EXPECT_TRUE(opened->execute("PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF"));
    return std::make_unique<SqliteConnection>(*std::move(opened));
  }
  World world_;
};

TEST_F(PlantedStoreTest, OneThatRunsChangesOutsideATransactionIsFoundOut) {
  ASSERT_NE(open_sqlite(world_), nullptr);
  PlantedStore planted(
      world_, [this] { return open_sqlite_connection(); }, true, nullptr);
  EXPECT_THAT(findings_of(planted), testing::Contains("HalfAChangeIsNeverSeen"));
}

TEST_F(PlantedStoreTest, SoItIsOnAServer) {
  ASSERT_NE(open_postgres(world_), nullptr);
  PlantedStore planted(
      world_, [this] { return open_postgres_connection(); }, false, nullptr);
  EXPECT_THAT(findings_of(planted), testing::IsSupersetOf({"HalfAChangeIsNeverSeen", "NoWriteSkew", "NoLostUpdate"}));
}

TEST_F(PlantedStoreTest, OneWhoseTransactionsDoNotNoticeEachOtherIsFoundOut) {
  ASSERT_NE(open_postgres(world_), nullptr);
  PlantedStore planted(
      world_, [this] { return open_postgres_connection(); }, false, "BEGIN ISOLATION LEVEL READ COMMITTED");
  EXPECT_THAT(findings_of(planted), testing::IsSupersetOf({"NoWriteSkew", "NoLostUpdate"}));
}

TEST_F(PlantedStoreTest, OneThatDoesNotTryAgainIsFoundOut) {
  ASSERT_NE(open_postgres(world_), nullptr);
  PlantedStore planted(
      world_, [this] { return open_postgres_connection(); }, false, "BEGIN ISOLATION LEVEL SERIALIZABLE");
  EXPECT_THAT(findings_of(planted), testing::IsSupersetOf({"NoWriteSkew", "NoLostUpdate"}));
}

}  // namespace
}  // namespace warifu::store

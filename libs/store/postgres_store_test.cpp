#include "store/postgres_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "store/conformance_checks.h"
#include "store/conformance_world_test.h"
#include "store/postgres_errors.h"
#include "store/postgres_statement.h"

namespace warifu::store {
namespace {

using checks::audited;

class PostgresStoreTest : public testing::Test {
 protected:
  PostgresOptions options() { return {.url = url_, .clock = world_.clock, .entropy = world_.entropy}; }
  std::unique_ptr<PostgresStore> open() { return open(options()); }
  static std::unique_ptr<PostgresStore> open(const PostgresOptions& options) {
    auto opened = PostgresStore::open(options);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return *std::move(opened);
  }
  std::unique_ptr<PostgresStore> open_with_scope() {
    auto store = open();
    EXPECT_TRUE(checks::make_scope(*store));
    return store;
  }
  static Status enroll(Transaction& t, std::uint64_t number) {
    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(number)));
    return audited(t);
  }

  // Eight threads that enroll until `stop`; then everything that was answered must be there, and everything that is
  // there must have been answered with success or with "unknown".
  void write_while(const std::function<void()>& disturb);

  PostgresCluster& cluster_ = PostgresCluster::shared();
  World world_;
  const std::string url_ = cluster_.fresh_url();
};

void PostgresStoreTest::write_while(const std::function<void()>& disturb) {
  const auto store = open_with_scope();
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::set<std::uint64_t> answered;
  std::set<std::uint64_t> unknown;
  std::set<std::string> refusals;
  std::thread writing([&] {
    checks::in_parallel(8, [&](std::size_t thread) {
      for (std::uint64_t number = thread; !stop; number += 8) {
        const Status written = store->write([number](Transaction& t) { return enroll(t, number); });
        const std::lock_guard lock(mutex);
        if (written) answered.insert(number);
        if (!written && written.error().code == "store.unknown") unknown.insert(number);
        if (!written) refusals.insert(std::string(written.error().code));
      }
    });
  });
  disturb();
  stop = true;
  writing.join();
  EXPECT_THAT(refusals, testing::IsSubsetOf({"store.unknown", "store.unavailable"}));
  EXPECT_GT(answered.size(), 20U);
  std::set<std::string> expected;
  for (const std::uint64_t number : answered)
    expected.insert(sample::registration(number).text());
  ASSERT_TRUE(store->read([&](Snapshot& s) -> Status {
    TRY(const auto all, s.provisioning().list_enrollments(sample::scope(), {std::nullopt, 1'000'000}));
    for (const auto& enrollment : all)
      expected.erase(enrollment.registration_id.text());
    EXPECT_THAT(expected, testing::IsEmpty()) << "answered and not there";
    EXPECT_LE(all.size(), answered.size() + unknown.size()) << "there and not answered";
    EXPECT_GE(all.size(), answered.size());
    return {};
  }));
}

TEST_F(PostgresStoreTest, WhatWasAnsweredSurvivesACrashOfTheServer) {
  write_while([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    cluster_.crash();
    cluster_.start();
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
  });
}

TEST_F(PostgresStoreTest, WhatWasAnsweredIsThereThoughConnectionsAreEnded) {
  write_while([&] {
    for (int i = 0; i < 15; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      cluster_.end_connections();
    }
  });
}

TEST_F(PostgresStoreTest, AServerThatStaysAwayIsUnavailableAndComesBack) {
  auto impatient = options();
  impatient.patience = std::chrono::milliseconds(200);
  const auto store = open(impatient);
  ASSERT_TRUE(checks::make_scope(*store));
  cluster_.crash();
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Status refused = store->write([i](Transaction& t) { return enroll(t, i); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(refused.error().code, "store.unavailable");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4)) << "not each of them waits";
  EXPECT_EQ(store->latest_audit_at().error().code, "store.unavailable");
  cluster_.start();
  EXPECT_TRUE(store->write([](Transaction& t) { return enroll(t, 1); }));
  EXPECT_TRUE(store->latest_audit_at().value());
}

TEST_F(PostgresStoreTest, AChangeThatIsTriedAgainIsAppliedAgainAndCommittedOnce) {
  const auto here = open_with_scope();
  const auto there = open();
  int applied = 0;
  int answered = 0;
  std::latch done(1);
  here->submit({[&](Transaction& t) -> Status {
                  TRY(const auto seen, t.provisioning().find_enrollment(sample::scope(), sample::registration(1)));
                  if (++applied == 1) {
                    // The other node writes what this one has read, and reads what this one will write.
                    EXPECT_TRUE(there->write([](Transaction& other) -> Status {
                      TRY_STATUS(other.provisioning().find_enrollment(sample::scope(), sample::registration(2)));
                      return enroll(other, 1);
                    }));
                  }
                  EXPECT_EQ(seen.has_value(), applied > 1);
                  return enroll(t, 2);
                },
                [&](const Status& status) {
                  EXPECT_TRUE(status);
                  ++answered;
                  done.count_down();
                }});
  done.wait();
  here->settle();
  EXPECT_EQ(applied, 2);
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(here->retries(), 1U);
  EXPECT_TRUE(checks::is_enrolled(*there, 2).value());
}

TEST_F(PostgresStoreTest, AConflictThatTheNextSnapshotShowsIsLookedAtAgain) {
  const auto here = open_with_scope();
  const auto there = open();
  int applied = 0;
  const Status written = here->write([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().scope_exists(sample::scope()));  // the snapshot is taken
    if (++applied == 1) TRY_STATUS(there->write([](Transaction& other) { return enroll(other, 1); }));
    return enroll(t, 1);
  });
  EXPECT_EQ(written.error().code, "enrollment.exists");
  EXPECT_EQ(applied, 2);
}

TEST_F(PostgresStoreTest, AChangeThatGoesOnAfterAFailureIsUndone) {
  const auto store = open_with_scope();
  const Status written = store->write([](Transaction& t) -> Status {
    TRY_STATUS(enroll(t, 1));
    std::ignore = t.provisioning().insert_enrollment(sample::enrollment(1));
    return {};
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "store.failed");
  EXPECT_FALSE(checks::is_enrolled(*store, 1).value());
}

TEST_F(PostgresStoreTest, UndoesAChangeThatThrowsAndGoesOn) {
  const auto store = open_with_scope();
  const auto thrown = store->write([](Transaction& t) -> Status {
    TRY_STATUS(enroll(t, 1));
    throw std::runtime_error("a defect");
  });
  EXPECT_EQ(thrown.error().code, "store.exception");
  EXPECT_TRUE(store->write([](Transaction& t) { return enroll(t, 1); }));
}

TEST_F(PostgresStoreTest, RefusesChangesOfAClockThatIsBehindTheLogOfAnotherNode) {
  const auto store = open_with_scope();
  world_.clock.advance(-std::chrono::minutes(1));
  EXPECT_TRUE(store->write([](Transaction& t) { return enroll(t, 1); })) << "what NTP may put back";
  world_.clock.advance(-std::chrono::microseconds(1));
  EXPECT_EQ(store->write([](Transaction& t) { return enroll(t, 2); }).error().code, "clock.behind");
  EXPECT_EQ(open()->write([](Transaction& t) { return enroll(t, 2); }).error().code, "clock.behind");
}

TEST_F(PostgresStoreTest, RefusesWhatItsQueueCannotHoldAndAnswersAllBeforeItIsGone) {
  auto small = options();
  small.queue_limit = 2;
  std::latch writing(1);
  std::latch go_on(1);
  std::atomic<int> accepted = 0;
  std::optional<Status> refused;
  {
    const auto store = open(small);
    ASSERT_TRUE(checks::make_scope(*store));
    const auto count = [&](const Status& status) { accepted += status ? 1 : 0; };
    store->submit({[&](Transaction&) -> Status {
                     writing.count_down();
                     go_on.wait();
                     return {};
                   },
                   count});
    writing.wait();
    for (std::uint64_t i = 0; i < 2; ++i)
      store->submit({[i](Transaction& t) { return enroll(t, i); }, count});
    store->submit({[](Transaction& t) { return enroll(t, 9); }, [&](Status status) { refused = std::move(status); }});
    go_on.count_down();
  }
  EXPECT_EQ(accepted, 3);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error().code, "store.busy");
  EXPECT_EQ(refused->error().kind, ErrorKind::kThrottled);
}

TEST_F(PostgresStoreTest, SettleWaitsForEveryChange) {
  const auto store = open_with_scope();
  std::atomic<int> done = 0;
  for (std::uint64_t i = 0; i < 40; ++i)
    store->submit({[i](Transaction& t) { return enroll(t, i); },
                   [&](const Status&) {
                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                     ++done;
                   }});
  store->settle();
  EXPECT_EQ(done, 40);
}

TEST_F(PostgresStoreTest, NodesThatStartAtOnceMakeTheSchemaOnce) {
  std::atomic<int> opened = 0;
  checks::in_parallel(6, [&](std::size_t) {
    const auto store = PostgresStore::open(options());
    EXPECT_TRUE(store) << to_string(store.error());
    if (store) ++opened;
  });
  EXPECT_EQ(opened, 6);
}

TEST_F(PostgresStoreTest, RefusesAServerThatDoesNotKeepWhatItCommits) {
  const std::string loose = cluster_.url() + "&options=-csynchronous_commit%3Doff";
  EXPECT_EQ(PostgresConnection::open({.url = loose}).error().code, "store.unsafe");
  EXPECT_TRUE(PostgresConnection::open({.url = loose, .allow_unsafe_server = true}));
  cluster_.crash();
  cluster_.start({"-c", "fsync=off"});
  EXPECT_EQ(PostgresConnection::open({.url = url_}).error().code, "store.unsafe");
  cluster_.crash();
  cluster_.start();
  EXPECT_TRUE(PostgresConnection::open({.url = url_}));
}

TEST_F(PostgresStoreTest, NoErrorRepeatsAPassword) {
  for (const char* url : {"postgresql://user:s3cret@%/x", "postgresql://user:s3cret@/x?s3cret",
                          "postgresql://user:s3cret@127.0.0.1:1/x", "postgres://user:s3cret@[::1/x", "user:s3cret"}) {
    const auto opened = PostgresConnection::open({.url = url});
    ASSERT_FALSE(opened) << url;
    EXPECT_THAT(to_string(opened.error()), testing::Not(testing::HasSubstr("s3cret")));
  }
}

TEST_F(PostgresStoreTest, AForeignDatabaseIsRefusedAndNotTouched) {
  auto connection = PostgresConnection::open({.url = url_});
  ASSERT_TRUE(connection);
  ASSERT_TRUE((*connection)->execute("CREATE TABLE notes (note_id BIGINT PRIMARY KEY)"));
  EXPECT_EQ(PostgresStore::open(options()).error().code, "store.schema.foreign");
  EXPECT_EQ((*connection)
                ->integer("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
                .value(),
            1);
}

TEST(PostgresErrors, MeanTheSameAsThoseOfSqlite) {
  const std::pair<const char*, const char*> expected[] = {
      {"23505", "store.unique"},      {"23503", "store.reference"},   {"53100", "store.full"},
      {"53200", "store.memory"},      {"55P03", "store.busy"},        {"57014", "store.busy"},
      {"57P01", "store.unavailable"}, {"08006", "store.unavailable"}, {"53300", "store.unavailable"},
      {"58030", "store.io"},          {"XX001", "store.corrupt"},     {"42601", "store.sql"},
      {"40001", "store.retry"},       {"40P01", "store.retry"},       {"25006", "store.unavailable"},
      {"42P07", "store.unique"},      {"42710", "store.unique"}};
  for (const auto& [sqlstate, code] : expected)
    EXPECT_EQ(postgres_error(sqlstate, "").code, code) << sqlstate;
  EXPECT_EQ(postgres_error("53100", "").kind, ErrorKind::kUnavailable);
}

TEST(NumberParameters, NumbersWhatIsOutsideOfQuotes) {
  EXPECT_EQ(number_parameters("SELECT '?' FROM \"a?\" WHERE b = ? AND c < ?"),
            "SELECT '?' FROM \"a?\" WHERE b = $1 AND c < $2");
  EXPECT_EQ(number_parameters(""), "");
}

}  // namespace
}  // namespace warifu::store

#include "store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <latch>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/sample_records.h"

namespace warifu::store {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteOptions options() { return {.path = dir_.path() / "db", .clock = clock_, .entropy = entropy_}; }

  std::unique_ptr<SqliteStore> open(const SqliteOptions& options) {
    auto store = SqliteStore::open(options);
    EXPECT_TRUE(store) << to_string(store.error());
    return *std::move(store);
  }
  std::unique_ptr<SqliteStore> open_with_scope(const SqliteOptions& options) {
    auto store = open(options);
    EXPECT_TRUE(store->write([](Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
      return t.audit().record(sample::scope(), {"test", "init", "scope"});
    }));
    return store;
  }
  static Status enroll(Transaction& t, std::uint64_t number) {
    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(number)));
    return t.audit().record(sample::scope(), {"test", "enroll", "enrollment"});
  }
  static std::size_t count_enrollments(Store& store) {
    std::size_t count = 0;
    EXPECT_TRUE(store.read([&](Snapshot& s) -> Status {
      TRY(const auto all, s.provisioning().list_enrollments(sample::scope(), {std::nullopt, 100'000}));
      count = all.size();
      return {};
    }));
    return count;
  }

  TempDir dir_;
  sim::SteppingClock clock_{sample::time(0)};
  sim::SeededEntropy entropy_{1};
};

TEST_F(SqliteStoreTest, ManyThreadsShareCommitsAndEachIsAnsweredOnce) {
  constexpr std::uint64_t kThreads = 32;
  constexpr std::uint64_t kWrites = 25;
  const auto store = open_with_scope(options());
  const std::uint64_t before = store->commits();
  std::vector<std::atomic<int>> answers(kThreads * kWrites);
  std::atomic<int> failures = 0;
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      for (std::uint64_t i = 0; i < kWrites; ++i) {
        const std::uint64_t number = thread * kWrites + i;
        std::latch done(1);
        store->submit({[number](Transaction& t) { return enroll(t, number); },
                       [&, number](const Status& status) {
                         ++answers[number];
                         if (!status) ++failures;
                         done.count_down();
                       }});
        done.wait();
        // What was answered is there for everyone at once.
        if (!store->read([&](Snapshot& s) -> Status {
              TRY(const auto found, s.provisioning().find_enrollment(sample::scope(), sample::registration(number)));
              if (!found) return Error{ErrorKind::kInternal, "test", "not there"};
              return {};
            }))
          ++failures;
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_TRUE(std::ranges::all_of(answers, [](const auto& answered) { return answered == 1; }));
  EXPECT_EQ(failures, 0);
  EXPECT_LT(store->commits() - before, kThreads * kWrites / 2);
  EXPECT_EQ(count_enrollments(*store), kThreads * kWrites);
}

TEST_F(SqliteStoreTest, AFailingChangeDoesNotUndoItsNeighbours) {
  auto connection = open_migrated(options());
  ASSERT_TRUE(connection);
  SqliteWriter writer(*std::move(connection), clock_, entropy_);
  std::vector<std::string> answers;
  const auto change = [&](std::function<Status(Transaction&)> apply) {
    return Change{std::move(apply),
                  [&](const Status& status) { answers.emplace_back(status ? "" : status.error().code); }};
  };
  std::vector<Change> batch = {
      change([](Transaction& t) -> Status {
        TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
        return enroll(t, 1);
      }),
      change([](Transaction& t) -> Status {
        TRY_STATUS(enroll(t, 2));
        return enroll(t, 1);
      }),
      change([](Transaction& t) { return t.provisioning().insert_enrollment(sample::enrollment(3)); }),
      change([](Transaction& t) { return enroll(t, 4); }),
  };
  writer.commit_batch(batch);
  EXPECT_THAT(answers, testing::ElementsAre("", "enrollment.exists", "store.unaudited", ""));
  EXPECT_EQ(writer.commits(), 1U);
  EXPECT_EQ(count_enrollments(*open(options())), 2U);
}

TEST_F(SqliteStoreTest, RefusesWhatItsQueueCannotHold) {
  auto small = options();
  small.queue_limit = 2;
  const auto store = open_with_scope(small);
  std::latch writing(1);
  std::latch go_on(1);
  std::latch accepted_done(3);
  const auto count = [&](const Status& status) {
    EXPECT_TRUE(status);
    accepted_done.count_down();
  };
  store->submit({[&](Transaction&) -> Status {
                   writing.count_down();
                   go_on.wait();
                   return {};
                 },
                 count});
  writing.wait();
  for (std::uint64_t i = 0; i < 2; ++i)
    store->submit({[i](Transaction& t) { return enroll(t, i); }, count});
  std::optional<Status> refused;
  store->submit({[](Transaction& t) { return enroll(t, 9); }, [&](Status status) { refused = std::move(status); }});
  const bool refused_at_once = refused.has_value();
  go_on.count_down();
  accepted_done.wait();
  ASSERT_TRUE(refused_at_once);
  ASSERT_FALSE(*refused);
  EXPECT_EQ(refused->error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(refused->error().code, "store.busy");
  EXPECT_EQ(count_enrollments(*store), 2U);
}

TEST_F(SqliteStoreTest, RefusesChangesOfAClockThatWentBackAndTakesThemOnceItIsSet) {
  const auto store = open_with_scope(options());
  const auto write = [&](std::uint64_t number) {
    return store->write([number](Transaction& t) { return enroll(t, number); });
  };
  clock_.advance(-std::chrono::minutes(1));
  EXPECT_TRUE(write(1)) << "what NTP may put back";
  clock_.advance(-std::chrono::microseconds(1));
  EXPECT_EQ(write(2).error().code, "clock.behind");
  clock_.advance(std::chrono::microseconds(1));
  EXPECT_TRUE(write(2));
}

TEST_F(SqliteStoreTest, UndoesAChangeThatThrowsAndGoesOn) {
  const auto store = open_with_scope(options());
  const auto thrown = store->write([](Transaction& t) -> Status {
    TRY_STATUS(enroll(t, 1));
    throw std::runtime_error("a defect");
  });
  EXPECT_EQ(thrown.error().code, "store.exception");
  EXPECT_EQ(count_enrollments(*store), 0U);
  EXPECT_TRUE(store->write([](Transaction& t) { return enroll(t, 1); }));
}

TEST_F(SqliteStoreTest, AnswersEveryChangeBeforeItIsGone) {
  constexpr int kChanges = 1000;
  int answered = 0;
  int answered_late = 0;
  {
    const auto store = open_with_scope(options());
    for (std::uint64_t i = 0; i < kChanges; ++i)
      store->submit(
          {[i](Transaction& t) { return enroll(t, i); }, [&](const Status& status) { answered += status ? 1 : 0; }});
    store->submit({[&](Transaction&) -> Status { return {}; },
                   [&, s = store.get()](const Status&) {
                     // Either it is still taken, or it is refused: never forgotten.
                     s->submit({[](Transaction&) -> Status { return {}; }, [&](const Status&) { ++answered_late; }});
                   }});
  }
  EXPECT_EQ(answered, kChanges);
  EXPECT_EQ(answered_late, 1);
  EXPECT_EQ(count_enrollments(*open(options())), std::size_t{kChanges});
}

TEST_F(SqliteStoreTest, ItsFilesAreForTheOwnerAlone) {
  const auto store = open_with_scope(options());
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir_.path())) {
    ++files;
    EXPECT_EQ(file.status().permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << file.path();
  }
  EXPECT_EQ(files, 3) << "database, log and index of the log";
}

// `warifud bootstrap-token` writes while warifud serves.
TEST_F(SqliteStoreTest, TwoProcessesMayWriteToOneDatabase) {
  const auto served = open_with_scope(options());
  const auto other = open(options());
  std::atomic<int> failures = 0;
  const auto write_many = [&](Store& store, std::uint64_t from) {
    for (std::uint64_t i = from; i < from + 50; ++i)
      if (!store.write([i](Transaction& t) { return enroll(t, i); })) ++failures;
  };
  std::thread beside([&] { write_many(*other, 1000); });
  write_many(*served, 0);
  beside.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(count_enrollments(*served), 100U);
}

TEST_F(SqliteStoreTest, TellsWhenWhatOperatorsMayDoMayHaveChanged) {
  const auto store = open_with_scope(options());
  const auto before = store->operators_version();
  ASSERT_TRUE(before);
  EXPECT_TRUE(store->write([](Transaction& t) { return enroll(t, 1); }));
  EXPECT_EQ(store->operators_version(), before) << "a device's change is not an operator's";
  std::optional<std::uint64_t> at_done;
  const Uuid token_id = Uuid::v7(sample::time(0), entropy_);
  store->submit({[&](Transaction& t) -> Status {
                   TRY_STATUS(t.operators().insert_access_token(
                       {sample::bytes(32, 2), sample::scope(), token_id, Label::parse("ci").value(),
                        operators::Permissions::all(), sample::time(0), sample::time(60)}));
                   return t.audit().record(sample::scope(), {"test", "login", "token"});
                 },
                 [&](const Status& done) {
                   EXPECT_TRUE(done);
                   at_done = store->operators_version();
                 }});
  store->settle();
  EXPECT_EQ(at_done, *before + 1) << "whoever is told of the change is told of the version";
}

TEST_F(SqliteStoreTest, GivesUpWhenAnotherProcessKeepsTheLock) {
  auto impatient = options();
  impatient.busy_timeout = std::chrono::milliseconds(20);
  const auto store = open_with_scope(impatient);
  {
    auto other = open_connection(options(), SqliteConnection::Mode::kExisting);
    ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
    const Status refused = store->write([](Transaction& t) { return enroll(t, 1); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(refused.error().code, "store.busy");
  }
  EXPECT_TRUE(store->write([](Transaction& t) { return enroll(t, 1); }));
}

TEST_F(SqliteStoreTest, ReadersWaitForEachOtherWhenAllAreTaken) {
  auto one_reader = options();
  one_reader.readers = 1;
  const auto store = open_with_scope(one_reader);
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> reads = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j)
        if (store->read([](Snapshot& s) { return s.provisioning().scope_exists(sample::scope()).map([](bool) {}); }))
          ++reads;
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(reads, 200);
}

TEST_F(SqliteStoreTest, AFullDatabaseRefusesAndRecovers) {
  auto connection = open_migrated(options());
  ASSERT_TRUE(connection);
  ASSERT_TRUE(connection->execute("PRAGMA max_page_count = 40"));
  SqliteWriter writer(*std::move(connection), clock_, entropy_);
  const auto commit = [&](std::function<Status(Transaction&)> apply) {
    std::string code;
    Change change{std::move(apply), [&](const Status& status) { code = status ? "" : status.error().code; }};
    writer.commit_batch({&change, 1});
    return code;
  };
  EXPECT_EQ(commit([](Transaction& t) -> Status {
              TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
              return enroll(t, 0);
            }),
            "");
  EXPECT_EQ(commit([](Transaction& t) -> Status {
              for (std::uint64_t i = 1; i < 1000; ++i)
                TRY_STATUS(enroll(t, i));
              return {};
            }),
            "store.full");
  EXPECT_EQ(commit([](Transaction& t) { return enroll(t, 1); }), "");
  EXPECT_EQ(count_enrollments(*open(options())), 2U);
}

}  // namespace
}  // namespace warifu::store

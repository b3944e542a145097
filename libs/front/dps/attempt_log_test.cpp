#include "front/dps/attempt_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/deterministic.h"
#include "store/sqlite_store.h"
#include "store/temp_dir.h"

namespace warifu::front::dps {
namespace {

using provisioning::Attempt;

class AttemptLogTest : public ::testing::Test {
 protected:
  AttemptLogTest() {
    EXPECT_TRUE(store_->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(scope_, "Example", Timestamp()));
      return t.audit().record(scope_, {"system", "init", "scope"});
    }));
  }

  Attempt attempt(const std::string& message = "all of it") {
    clock_.advance(std::chrono::milliseconds(2));
    return {scope_, id_, Uuid::v7(clock_.now(), entropy_), clock_.now(), "192.0.2.7", "token", "token.form", message};
  }
  // What is on disk when everything submitted before has run.
  std::vector<Attempt> stored() {
    EXPECT_TRUE(store_->write([](store::Transaction&) { return Status(); }));
    std::vector<Attempt> attempts;
    EXPECT_TRUE(store_->read([&](store::Snapshot& snapshot) -> Status {
      TRY(attempts, snapshot.provisioning().list_attempts(scope_, id_, 10'000));
      return {};
    }));
    return attempts;
  }

  const ScopeId scope_ = ScopeId::parse("0ne00000001").value();
  const RegistrationId id_ = RegistrationId::parse("meter-1").value();
  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  store::TempDir folder_;
  std::unique_ptr<store::SqliteStore> store_ =
      store::SqliteStore::open({.path = folder_.path() / "warifu.sqlite3", .clock = clock_, .entropy = entropy_})
          .value();
  AttemptLog log_{*store_, clock_};
};

TEST_F(AttemptLogTest, WritesNothingBeforeItIsFlushedAndEachOnce) {
  log_.note(attempt("first"));
  log_.note(attempt("second"));
  EXPECT_TRUE(stored().empty());
  log_.flush();
  log_.flush();
  const auto attempts = stored();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].message, "second");
  EXPECT_EQ(attempts[1].message, "first");
  EXPECT_EQ(attempts[1].peer_address, "192.0.2.7");
  EXPECT_EQ(attempts[1].code, "token.form");
}

TEST_F(AttemptLogTest, ATransactionThatRanTwiceIsToldOnce) {
  const auto same = attempt();
  log_.note(same);
  log_.note(same);
  log_.note(attempt());
  log_.flush();
  EXPECT_EQ(stored().size(), 2u);
}

TEST_F(AttemptLogTest, AFloodIsDroppedAndThereIsRoomAgainAfterwards) {
  for (std::size_t i = 0; i < AttemptLog::kWaitingMax + 50; ++i)
    log_.note(attempt(std::to_string(i)));
  EXPECT_EQ(log_.dropped(), 50u);
  log_.flush();
  const auto kept = stored();
  EXPECT_EQ(kept.size(), AttemptLog::kWaitingMax);
  EXPECT_EQ(kept.back().message, "0");
  log_.note(attempt("after the flood"));
  log_.flush();
  EXPECT_EQ(stored().front().message, "after the flood");
  EXPECT_EQ(log_.dropped(), 50u);
}

// A stranger writes what he likes into the path: it must not cost the others their lines.
TEST_F(AttemptLogTest, AScopeThatDoesNotExistCostsNobodyElseHisLine) {
  log_.note(attempt("before"));
  auto stray = attempt();
  stray.scope = ScopeId::parse("0ne00000009").value();
  log_.note(stray);
  log_.note(attempt("after"));
  log_.flush();
  EXPECT_EQ(stored().size(), 2u);
}

TEST_F(AttemptLogTest, KeepsMessagesShortAndPrintable) {
  log_.note(attempt(std::string("a\0b\xff\n", 5) + std::string(1'000'000, 'x')));
  log_.flush();
  const auto attempts = stored();
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].message.size(), AttemptLog::kMessageSizeMax);
  EXPECT_EQ(attempts[0].message.substr(0, 6), "a?b??x");
}

TEST_F(AttemptLogTest, ForgetsWhatIsOldAFewAtATime) {
  for (std::size_t round = 0; round < AttemptLog::kPurgeMax / AttemptLog::kWaitingMax + 1; ++round) {
    for (std::size_t i = 0; i < AttemptLog::kWaitingMax; ++i)
      log_.note(attempt());
    log_.flush();
  }
  const auto all = stored().size();
  ASSERT_EQ(all, AttemptLog::kPurgeMax + AttemptLog::kWaitingMax);
  EXPECT_FALSE(log_.purge());
  EXPECT_EQ(stored().size(), all);
  clock_.advance(AttemptLog::kKept);
  log_.note(attempt("of today"));
  log_.flush();
  EXPECT_TRUE(log_.purge()) << "there is more";
  EXPECT_EQ(stored().size(), AttemptLog::kWaitingMax + 1);
  EXPECT_FALSE(log_.purge());
  const auto left = stored();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].message, "of today");
}

}  // namespace
}  // namespace warifu::front::dps

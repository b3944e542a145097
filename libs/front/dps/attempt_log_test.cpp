#include "front/dps/attempt_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/sqlite_store.h"

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
  // As the one before, of this ID and address.
  Attempt attempt_of(const std::string& id, const std::string& address = "192.0.2.7") {
    auto one = attempt();
    one.registration_id = RegistrationId::parse(id).value();
    one.peer_address = address;
    return one;
  }
  void enroll(const std::string& id) {
    EXPECT_TRUE(store_->write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_enrollment({.scope = scope_,
                                                     .registration_id = RegistrationId::parse(id).value(),
                                                     .enrollment_id = Uuid::v7(clock_.now(), entropy_),
                                                     .attestation = provisioning::SymmetricKeyAttestation{{1}, {2}},
                                                     .device_id = std::nullopt,
                                                     .terms = {},
                                                     .revision = Uuid::v7(clock_.now(), entropy_),
                                                     .created_at = clock_.now(),
                                                     .updated_at = clock_.now()}));
      return t.audit().record(scope_, {"test", "enrollment.put", id});
    }));
  }
  std::size_t count(bool is_enrolled) {
    std::size_t count = 0;
    EXPECT_TRUE(store_->read([&](store::Snapshot& snapshot) -> Status {
      TRY(count, snapshot.provisioning().count_attempts(scope_, is_enrolled, 1'000'000));
      return {};
    }));
    return count;
  }
  // What is on disk when everything submitted before has run.
  std::vector<Attempt> stored(const std::string& id = "meter-1") {
    EXPECT_TRUE(store_->write([](store::Transaction&) { return Status(); }));
    std::vector<Attempt> attempts;
    EXPECT_TRUE(store_->read([&](store::Snapshot& snapshot) -> Status {
      TRY(attempts, snapshot.provisioning().list_attempts(scope_, RegistrationId::parse(id).value(), 10'000));
      return {};
    }));
    return attempts;
  }

  const ScopeId scope_ = ScopeId::parse("0ne00000001").value();
  const RegistrationId id_ = RegistrationId::parse("meter-1").value();
  sim::SteppingClock clock_{Timestamp(std::chrono::seconds(1'790'000'000))};
  sim::SeededEntropy entropy_{1};
  TempDir folder_;
  std::unique_ptr<store::SqliteStore> store_ =
      store::SqliteStore::open({.path = folder_.path() / "warifu.sqlite3", .clock = clock_, .entropy = entropy_})
          .value();
  AttemptLog log_{*store_, clock_};
};

TEST_F(AttemptLogTest, WritesNothingBeforeItIsFlushedAndEachOnce) {
  log_.note(attempt("first"));
  auto second = attempt("second");
  second.code = "token.expired";
  log_.note(second);
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
  log_.flush();
  log_.note(same);
  log_.flush();
  const auto attempts = stored();
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].count, 1);
}

TEST_F(AttemptLogTest, WhatOneClientRepeatsIsOneRowThatCounts) {
  const auto first = attempt();
  log_.note(first);
  for (int i = 0; i < 10'000; ++i)
    log_.note(attempt());
  EXPECT_EQ(log_.dropped(), 0u);
  log_.flush();
  const auto last = attempt("the last");
  log_.note(last);
  log_.flush();
  auto attempts = stored();
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].count, 10'002);
  EXPECT_EQ(attempts[0].first_at, first.at);
  EXPECT_EQ(attempts[0].at, last.at);
  EXPECT_EQ(attempts[0].message, "the last");

  log_.note(attempt_of("meter-1", "198.51.100.1"));
  log_.flush();
  EXPECT_EQ(stored().size(), 2u) << "another client";
  clock_.advance(provisioning::Diary::kTogether);
  log_.note(attempt());
  log_.flush();
  EXPECT_EQ(stored().size(), 3u) << "a minute later";
}

TEST_F(AttemptLogTest, AFloodOfMadeUpIdsCrowdsOutNoneThatIsEnrolled) {
  enroll("meter-1");
  for (std::size_t i = 0; i < 10 * AttemptLog::kWaitingMax; ++i)
    log_.note(attempt_of("made-up-" + std::to_string(i), "198.51.100." + std::to_string(i % 250)));
  log_.note(attempt());
  EXPECT_EQ(log_.dropped(), 10 * AttemptLog::kWaitingMax - AttemptLog::kWaitingOfAnybodyMax);
  log_.flush();
  EXPECT_EQ(stored().size(), 1u);
  EXPECT_EQ(count(true), 1u);
  EXPECT_EQ(count(false), AttemptLog::kWaitingOfAnybodyMax);
  log_.note(attempt_of("after-the-flood"));
  log_.flush();
  EXPECT_EQ(stored("after-the-flood").size(), 1u);
}

TEST_F(AttemptLogTest, WhoProvedItselfIsNotLookedUp) {
  for (std::size_t i = 0; i < AttemptLog::kWaitingOfAnybodyMax; ++i)
    log_.note(attempt_of("made-up-" + std::to_string(i)));
  log_.note(attempt_of("proven"), AttemptLog::Standing::kProven);
  log_.note(attempt_of("not-proven"));
  log_.flush();
  EXPECT_EQ(stored("proven").size(), 1u);
  EXPECT_EQ(stored("not-proven").size(), 0u);
}

// Whoever knows many IDs that are enrolled.
TEST_F(AttemptLogTest, AFloodOfOneNetworkCrowdsOutNoOther) {
  for (std::size_t i = 0; i < AttemptLog::kWaitingMax + 50; ++i)
    log_.note(attempt_of("meter-" + std::to_string(i), "198.51.100.1"), AttemptLog::Standing::kProven);
  EXPECT_EQ(log_.dropped(), 50u);
  log_.note(attempt_of("pump-1"), AttemptLog::Standing::kProven);
  EXPECT_EQ(log_.dropped(), 51u);
  log_.flush();
  EXPECT_EQ(stored("pump-1").size(), 1u);
  EXPECT_EQ(stored("meter-0").size(), 1u);
  EXPECT_EQ(stored("meter-" + std::to_string(AttemptLog::kWaitingMax - 1)).size(), 0u) << "gave up its place";
}

TEST_F(AttemptLogTest, TheDiaryOfAScopeHasRoomForSoManyAndTheOldestGo) {
  AttemptLog log{*store_, clock_, {.enrolled = 5, .others = 3}};
  for (int i = 0; i < 8; ++i) {
    enroll("meter-" + std::to_string(i));
    log.note(attempt_of("meter-" + std::to_string(i)));
    log.note(attempt_of("made-up-" + std::to_string(i)));
  }
  log.flush();
  ASSERT_EQ(stored("meter-0").size(), 1u);
  EXPECT_FALSE(log.purge());
  EXPECT_EQ(count(true), 5u);
  EXPECT_EQ(count(false), 3u);
  EXPECT_TRUE(stored("meter-2").empty());
  EXPECT_EQ(stored("meter-3").size(), 1u);
  EXPECT_TRUE(stored("made-up-4").empty());
  EXPECT_EQ(stored("made-up-5").size(), 1u);
}

// A stranger writes what he likes into the path: it must not cost the others their lines.
TEST_F(AttemptLogTest, AScopeThatDoesNotExistCostsNobodyElseHisLine) {
  log_.note(attempt("before"));
  auto stray = attempt();
  stray.scope = ScopeId::parse("0ne00000009").value();
  log_.note(stray);
  log_.note(attempt_of("meter-2"));
  log_.flush();
  EXPECT_EQ(stored().size(), 1u);
  EXPECT_EQ(stored("meter-2").size(), 1u);
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
  constexpr std::size_t kAll = AttemptLog::kPurgeMax + AttemptLog::kWaitingMax;
  for (std::size_t i = 0; i < kAll; ++i) {
    log_.note(attempt_of("meter-" + std::to_string(i)), AttemptLog::Standing::kProven);
    if (i % AttemptLog::kWaitingMax == AttemptLog::kWaitingMax - 1) log_.flush();
  }
  EXPECT_EQ(stored("meter-1").size(), 1u);
  ASSERT_EQ(count(false), kAll);
  EXPECT_FALSE(log_.purge());
  EXPECT_EQ(count(false), kAll);
  clock_.advance(AttemptLog::kKept);
  log_.note(attempt("of today"));
  log_.flush();
  EXPECT_TRUE(log_.purge()) << "there is more";
  EXPECT_EQ(count(false), AttemptLog::kWaitingMax + 1);
  EXPECT_FALSE(log_.purge());
  EXPECT_EQ(count(false), 1u);
  const auto left = stored();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].message, "of today");
}

}  // namespace
}  // namespace warifu::front::dps

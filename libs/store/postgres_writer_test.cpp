// Changes that share a transaction on PostgreSQL do not share their fate.
#include "store/postgres_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "store/conformance_checks.h"
#include "store/conformance_world_test.h"

namespace warifu::store {
namespace {

using checks::audited;
using testing::ElementsAre;

class PostgresWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    there_ = open_postgres(world_);
    ASSERT_TRUE(checks::make_scope(*there_));
    auto opened = PostgresWriter::open({.url = world_.url, .clock = world_.clock, .entropy = world_.entropy});
    ASSERT_TRUE(opened);
    writer_ = *std::move(opened);
  }

  // Another change of the batch; its name and outcome come into answers_.
  void add(std::string name, std::function<Status(Transaction&)> apply) {
    batch_.push_back({[this, name, apply = std::move(apply)](Transaction& t) -> Status {
                        ++applied_[name];
                        return apply(t);
                      },
                      [this, name](const Status& status) {
                        answers_.push_back(name + ":" + (status ? "" : std::string(status.error().code)));
                      }});
  }
  void add_enrollment(std::string name, std::uint64_t number) {
    add(std::move(name), [number](Transaction& t) { return enroll(t, number); });
  }
  void commit() { writer_->commit_batch(batch_); }

  static Status enroll(Transaction& t, std::uint64_t number) {
    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(number)));
    return audited(t);
  }
  static Status look_for(Transaction& t, std::uint64_t number) {
    return t.provisioning().find_enrollment(sample::scope(), sample::registration(number)).map([](const auto&) {});
  }
  // The other node writes what this change has read, and reads what it will write: one of the two is given up, and it
  // is not that which is committed already.
  Status enroll_in_the_way(Transaction& t, std::uint64_t own, std::uint64_t other) {
    TRY_STATUS(look_for(t, other));
    EXPECT_TRUE(there_->write([own, other](Transaction& u) -> Status {
      TRY_STATUS(look_for(u, own));
      return enroll(u, other);
    }));
    return enroll(t, own);
  }
  bool is_enrolled(std::uint64_t number) { return checks::is_enrolled(*there_, number).value(); }

  World world_;
  std::unique_ptr<Store> there_;  // another node
  std::unique_ptr<PostgresWriter> writer_;
  std::vector<Change> batch_;
  std::map<std::string, int> applied_;
  std::vector<std::string> answers_;
};

TEST_F(PostgresWriterTest, ABatchIsOneCommit) {
  add_enrollment("a", 1);
  add_enrollment("b", 2);
  add("c", [](Transaction& t) -> Status {
    TRY(const auto seen, t.provisioning().find_enrollment(sample::scope(), sample::registration(2)));
    EXPECT_TRUE(seen) << "what the change before it wrote";
    return enroll(t, 3);
  });
  commit();
  EXPECT_THAT(answers_, ElementsAre("a:", "b:", "c:"));
  EXPECT_EQ(writer_->commits(), 1U);
  EXPECT_EQ(writer_->retries(), 0U);
  EXPECT_TRUE(is_enrolled(1) && is_enrolled(2) && is_enrolled(3));
}

TEST_F(PostgresWriterTest, AChangeThatFailsIsUndoneAlone) {
  add_enrollment("good", 1);
  add("refused", [](Transaction& t) -> Status {
    TRY_STATUS(enroll(t, 2));
    return Error{ErrorKind::kRefused, "test.refused", "no"};
  });
  add("silent", [](Transaction& t) { return t.provisioning().insert_enrollment(sample::enrollment(3)); });
  add("idle", [](Transaction&) -> Status { return Error{ErrorKind::kRefused, "test.idle", "nothing was asked"}; });
  add("throws", [](Transaction& t) -> Status {
    TRY_STATUS(enroll(t, 4));
    throw std::runtime_error("a defect");
  });
  add("orphan", [](Transaction& t) -> Status {  // no such scope
    TRY_STATUS(enroll(t, 5));
    return t.audit().record(ScopeId::parse("nowhere").value(), {"test", "change", "record"});
  });
  add("ignores", [](Transaction& t) -> Status {
    TRY_STATUS(enroll(t, 6));
    std::ignore = t.audit().record(ScopeId::parse("nowhere").value(), {"test", "change", "record"});
    std::ignore = look_for(t, 1);
    return {};
  });
  add_enrollment("last", 7);
  commit();
  EXPECT_THAT(answers_,
              ElementsAre("good:", "refused:test.refused", "silent:store.unaudited", "idle:test.idle",
                          "throws:store.exception", "orphan:store.reference", "ignores:store.failed", "last:"));
  EXPECT_EQ(writer_->commits(), 1U);
  EXPECT_EQ(writer_->retries(), 0U);
  EXPECT_TRUE(is_enrolled(1) && is_enrolled(7));
  for (std::uint64_t number = 2; number < 7; ++number)
    EXPECT_FALSE(is_enrolled(number)) << number;
}

TEST_F(PostgresWriterTest, OnlyWhoMeetsATakenKeyLooksAgain) {
  add_enrollment("first", 1);
  add_enrollment("same", 1);
  add_enrollment("last", 2);
  commit();
  EXPECT_THAT(answers_, ElementsAre("first:", "last:", "same:enrollment.exists"));
  EXPECT_EQ(applied_["first"] + applied_["last"], 2);
  EXPECT_EQ(applied_["same"], 2);
}

TEST_F(PostgresWriterTest, ABatchThatIsGivenUpIsTriedAgainAsAWhole) {
  add_enrollment("before", 1);
  add("met", [&](Transaction& t) { return applied_["met"] == 1 ? enroll_in_the_way(t, 2, 3) : enroll(t, 2); });
  add_enrollment("after", 4);
  commit();
  EXPECT_THAT(answers_, ElementsAre("before:", "met:", "after:"));
  EXPECT_EQ(applied_["before"], 2);
  EXPECT_EQ(applied_["met"], 2);
  EXPECT_EQ(writer_->commits(), 1U);
  EXPECT_EQ(writer_->retries(), 3U);
  EXPECT_TRUE(is_enrolled(1) && is_enrolled(2) && is_enrolled(3) && is_enrolled(4));
}

TEST_F(PostgresWriterTest, AChangeThatIsAlwaysInTheWayGoesAloneAndItsNeighboursAreNotHeldUp) {
  std::uint64_t next = 100;
  add_enrollment("before", 1);
  add("met", [&](Transaction& t) {
    next += 2;
    return enroll_in_the_way(t, next, next + 1);
  });
  add_enrollment("after", 2);
  commit();
  EXPECT_THAT(answers_, ElementsAre("before:", "after:", "met:store.busy"));
  EXPECT_LE(applied_["before"], 5);
  EXPECT_LE(applied_["after"], 5);
  EXPECT_EQ(applied_["met"], 30);
  EXPECT_TRUE(is_enrolled(1) && is_enrolled(2));
}

TEST_F(PostgresWriterTest, AConnectionThatIsLostBeforeCommitUndoesAllAndAllIsTriedAgain) {
  add_enrollment("before", 1);
  add("lost", [&](Transaction& t) {
    if (applied_["lost"] == 1) PostgresCluster::shared().end_connections();
    return enroll(t, 2);
  });
  commit();
  EXPECT_THAT(answers_, ElementsAre("before:", "lost:"));
  EXPECT_EQ(applied_["before"], 2);
  EXPECT_TRUE(is_enrolled(1) && is_enrolled(2));
}

}  // namespace
}  // namespace warifu::store

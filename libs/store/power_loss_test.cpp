// Losing power at any moment loses nothing that was answered, and leaves nothing half done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>

#include "sim/deterministic.h"
#include "sim/power_loss_vfs.h"
#include "store/migrations.h"
#include "store/sample_records.h"
#include "store/sqlite_writer.h"
#include "webhooks/outbox.h"

namespace warifu::store {
namespace {

using sample::fields;

// A sanitizer makes each cut ten times as slow, and looks for something else.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 100;
#else
constexpr std::uint64_t kSeeds = 1000;
#endif
constexpr std::uint64_t kDevices = 8;
constexpr std::uint64_t kBatches = 40;

// One seeded life of a database: registrations until the power fails, twice, and what is found afterwards.
class Life {
 public:
  // `tells_apart`: events are written by a change of their own, after that of the fact.
  explicit Life(std::uint64_t seed, const char* sabotage, bool tells_apart)
      : random_(seed), entropy_(seed), sabotage_(sabotage), tells_apart_(tells_apart) {}

  // An empty text, or what was lost or left half done.
  std::string live() {
    for (int failures = 0; failures < 2; ++failures) {
      disk_.cut_after(1 + random_() % 300, random_());
      run_until_power_fails();
      disk_.cut(random_());  // if it has not
      disk_.restore();
      if (auto finding = inspect(); !finding.empty()) return finding;
    }
    return {};
  }

 private:
  // What change number n did, if it happened. Every third ends the operation of the one before it; every seventh writes
  // and fails.
  struct Step {
    std::uint64_t number;
    std::uint64_t device() const { return number / 3 % kDevices; }
    std::uint64_t operation() const { return ends() ? number - 1 : number; }
    bool enrolls() const { return number % 3 == 0; }
    bool ends() const { return number % 3 == 2; }
    bool tells() const { return number % 3 == 1; }  // raises an alert, of which a webhook is told
    bool refused() const { return number % 7 == 6; }
    std::string subject() const { return "change:" + std::to_string(number); }
  };

  Result<SqliteConnection> open() {
    TRY(auto connection, open_migrated(options_));
    // A small log is carried over often, so that power fails in the midst of that too.
    TRY_STATUS(connection.execute("PRAGMA wal_autocheckpoint = 20"));
    TRY_STATUS(connection.execute(sabotage_));
    return connection;
  }

  void run_until_power_fails() {
    auto connection = open();
    if (!connection) return;
    SqliteWriter writer(*std::move(connection), clock_, entropy_);
    if (!scope_answered_) {
      Change init{[this](Transaction& t) -> Status {
                    TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
                    webhooks::Webhook pager{sample::scope(), pager_, "https://events.example.com/"};
                    if (tells_apart_) pager.event_types = {std::string(webhooks::kApprovalWaiting)};
                    TRY_STATUS(t.webhooks().insert_webhook(pager));
                    return t.audit().record(sample::scope(), {"test", "init", "scope"});
                  },
                  [this](const Status& status) {
                    scope_answered_ = status.has_value() || status.error().code == "scope.exists";
                  }};
      writer.commit_batch({&init, 1});
    }
    for (std::uint64_t i = 0; scope_answered_ && i < kBatches && disk_.has_power(); ++i) {
      std::vector<Change> batch;
      for (std::uint64_t size = 1 + random_() % 8; size > 0; --size)
        batch.push_back(change({next_++}));
      const std::uint64_t first = next_ - batch.size();
      writer.commit_batch(batch);
      if (tells_apart_) tell(writer, first);
    }
  }

  Change change(Step step) {
    return {[step](Transaction& t) { return apply(step, t); },
            [this, step](const Status& status) {
              if (status) answered_.insert(step.number);
            }};
  }

  // The twin of an outbox: what was answered is told by another change.
  void tell(SqliteWriter& writer, std::uint64_t first) {
    for (Step step{first}; step.number < next_; ++step.number) {
      if (!step.tells() || !answered_.contains(step.number)) continue;
      Change change{[this, step](Transaction& t) -> Status {
                      TRY_STATUS(webhooks::append_to(
                          t.webhooks(), entropy_,
                          {sample::scope(), webhooks::kAlertRaised, "registration:x", {{"about", step.subject()}}},
                          sample::time(step.number), pager_));
                      return {};
                    },
                    [](const Status&) {}};
      writer.commit_batch({&change, 1});
    }
  }

  static Status apply(Step step, Transaction& t) {
    auto& records = t.provisioning();
    if (step.enrolls()) {
      auto enrollment = sample::enrollment(step.device());
      enrollment.registration_id = sample::registration(step.number);
      TRY_STATUS(records.insert_enrollment(enrollment));
    } else if (step.ends()) {
      // The operation may have been refused, or lost unanswered.
      Status ended = records.end_operation(sample::scope(), sample::uuid(sample::Kind::kOperation, step.operation()),
                                           sample::time(step.number));
      if (!ended && ended.error().kind != ErrorKind::kNotFound) return ended;
    } else {
      TRY_STATUS(records.insert_operation(sample::operation(step.number, step.device())));
      TRY_STATUS(records.put_device(sample::device(step.device(), step.number)));
      TRY_STATUS(records.raise_alert({.scope = sample::scope(),
                                      .kind = "ek.duplicate",
                                      .registration_id = sample::registration(step.device()),
                                      .subject = step.subject(),
                                      .detail = "",
                                      .count = 1,
                                      .first_at = sample::time(step.number),
                                      .last_at = sample::time(step.number),
                                      .acknowledged_at = std::nullopt}));
    }
    TRY_STATUS(t.audit().record(sample::scope(), {"test", "step", step.subject()}));
    if (step.refused()) return Error{ErrorKind::kRefused, "test.refused", "no"};
    return {};
  }

  // Opens what the power loss left as a new process would, and compares each change with its audit entry and its
  // answer.
  std::string inspect() {
    auto connection = open_migrated(options_);
    if (!connection) return "does not open: " + to_string(connection.error());
    auto damage = connection->integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'");
    if (!damage || *damage != 0) return "is damaged";
    SqlProvisioningRecords records(*connection);
    if (scope_answered_ && !records.scope_exists(sample::scope()).value_or(false)) return "lost the scope";

    const auto told = told_subjects(*connection);
    std::vector<std::uint64_t> last_operation(kDevices, 0);
    for (std::uint64_t number = 0; number < next_; ++number) {
      const Step step{number};
      const bool happened = is_audited(*connection, step);
      if (answered_.contains(number) && !happened) return "lost " + step.subject();
      if (step.refused() && happened) return "kept the refused " + step.subject();
      if (step.tells() && told.contains(step.subject()) != happened)
        return happened ? "lost the event of " + step.subject() : "tells of what did not happen, " + step.subject();
      if (step.enrolls() && is_enrolled(records, step) != happened)
        return "half of the enrollment in " + step.subject();
      if (!step.enrolls() && !step.ends()) {
        if (happened) last_operation[step.device()] = number;
        if (!operation_is_as(records, step, happened, is_audited(*connection, {number + 1})))
          return "half of the operation in " + step.subject();
      }
    }
    for (std::uint64_t device = 0; device < kDevices; ++device)
      if (!device_is_as(records, device, last_operation[device])) return "half of device " + std::to_string(device);
    return {};
  }

  static bool is_audited(Connection& connection, Step step) {
    auto query = connection.prepare("SELECT count(*) FROM audit_entries WHERE subject = ?");
    const std::string subject = step.subject();
    query->bind(subject);
    return query->step().value_or(false) && query->row().next<std::int64_t>().value_or(0) == 1;
  }

  // What the events in the outbox are about.
  static std::set<std::string> told_subjects(Connection& connection) {
    std::set<std::string> subjects;
    auto query = connection.prepare("SELECT body FROM webhook_deliveries");
    query->bind();
    while (query->step().value_or(false)) {
      const auto body = boost::json::parse(query->row().next<std::string>().value_or("null"));
      subjects.emplace(body.at("data").at("about").as_string());
    }
    return subjects;
  }

  static bool is_enrolled(SqlProvisioningRecords& records, Step step) {
    auto expected = sample::enrollment(step.device());
    expected.registration_id = sample::registration(step.number);
    const auto found = records.find_enrollment(sample::scope(), expected.registration_id);
    return found && *found && fields(**found) == fields(expected);
  }

  static bool operation_is_as(SqlProvisioningRecords& records, Step step, bool exists, bool ended) {
    auto expected = sample::operation(step.number, step.device());
    if (ended) expected.ended_at = sample::time(step.number + 1);
    const auto found = records.find_operation(sample::scope(), expected.operation_id);
    if (!found) return false;
    return exists ? *found && fields(**found) == fields(expected) : !*found;
  }

  static bool device_is_as(SqlProvisioningRecords& records, std::uint64_t device, std::uint64_t operation) {
    auto expected = sample::device(device, operation);
    const auto found = records.find_device(sample::scope(), expected.device_id);
    if (!found || found->has_value() != (operation != 0)) return false;
    if (operation == 0) return true;
    expected.created_at = (*found)->created_at;
    return fields(**found) == fields(expected);
  }

  std::mt19937_64 random_;
  sim::PowerLossDisk disk_;
  sim::PowerLossVfs vfs_{disk_};
  sim::SteppingClock clock_{sample::time(0)};
  sim::SeededEntropy entropy_;
  const std::string sabotage_;
  const bool tells_apart_;
  const Label pager_ = Label::parse("pager").value();
  const SqliteOptions options_{.path = "warifu.db", .clock = clock_, .entropy = entropy_, .vfs = vfs_.name()};
  std::uint64_t next_ = 0;
  bool scope_answered_ = false;
  std::set<std::uint64_t> answered_;
};

struct Finding {
  std::uint64_t seed;
  std::string what;
};

std::optional<Finding> first_finding(const char* sabotage, bool tells_apart = false) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
    if (auto what = Life(seed, sabotage, tells_apart).live(); !what.empty()) return Finding{seed, what};
  return std::nullopt;
}

TEST(PowerLoss, LosesNothingThatWasAnsweredAndLeavesNothingHalfDone) {
  const auto finding = first_finding("");
  EXPECT_FALSE(finding) << "seed " << finding->seed << ": the database " << finding->what;
}

// The twins: with the protection taken away the same test must find a loss.
TEST(PowerLoss, LosesAnswersWhenSyncingIsSwitchedOff) {
  EXPECT_TRUE(first_finding("PRAGMA synchronous = OFF"));
}

TEST(PowerLoss, LosesAnswersWhenOnlyCheckpointsAreSynced) {
  EXPECT_TRUE(first_finding("PRAGMA synchronous = NORMAL"));
}

TEST(PowerLoss, LosesEventsWhenTheyAreWrittenApartFromTheirFacts) {
  const auto finding = first_finding("", true);
  ASSERT_TRUE(finding);
  EXPECT_THAT(finding->what, testing::HasSubstr("lost the event of"));
}

TEST(DiskFull, IsRefusedKeepsWhatIsThereAndRecovers) {
  sim::PowerLossDisk disk;
  const sim::PowerLossVfs vfs(disk);
  const sim::SteppingClock clock(sample::time(0));
  sim::SeededEntropy entropy(1);
  auto connection = open_migrated({.path = "warifu.db", .clock = clock, .entropy = entropy, .vfs = vfs.name()});
  ASSERT_TRUE(connection);
  SqliteWriter writer(*std::move(connection), clock, entropy);
  const auto enroll = [&](std::uint64_t from, std::uint64_t to) {
    Status answer;
    Change change{[=](Transaction& t) -> Status {
                    if (from == 0)
                      TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
                    for (std::uint64_t i = from; i < to; ++i)
                      TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(i)));
                    return t.audit().record(sample::scope(), {"test", "enroll", "many"});
                  },
                  [&](Status status) { answer = std::move(status); }};
    writer.commit_batch({&change, 1});
    return answer;
  };
  ASSERT_TRUE(enroll(0, 10));
  disk.set_free_bytes(1000);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Status refused = enroll(10, 5000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "store.full");
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  }
  disk.set_unlimited();
  EXPECT_TRUE(enroll(10, 20));
  EXPECT_EQ(enroll(0, 1).error().code, "scope.exists");
}

}  // namespace
}  // namespace warifu::store

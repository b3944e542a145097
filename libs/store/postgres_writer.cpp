#include "store/postgres_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace warifu::store {
namespace {

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
constexpr const char* kBeginProbe = "BEGIN ISOLATION LEVEL READ COMMITTED";
// With pauses that double up to a tenth of a second: about two seconds.
constexpr int kAttemptsMax = 30;
constexpr std::chrono::microseconds kPauseMin{500};
constexpr std::chrono::microseconds kPauseMax{100'000};
constexpr std::chrono::milliseconds kReconnectPause{100};

// Nothing happened; if it cannot be tried again, this is the answer.
Error connection_lost() {
  return {ErrorKind::kUnavailable, "store.unavailable", "the connection to the database was lost"};
}

}  // namespace

Result<std::unique_ptr<PostgresWriter>> PostgresWriter::open(const PostgresOptions& options, WritersShare& share) {
  TRY(auto connection,
      PostgresConnection::open(
          {.url = options.url, .allow_unsafe_server = options.allow_unsafe_server, .by_index_only = true}));
  return std::unique_ptr<PostgresWriter>(new PostgresWriter(std::move(connection), options, share));
}

PostgresWriter::PostgresWriter(std::unique_ptr<PostgresConnection> connection, const PostgresOptions& options,
                               WritersShare& share)
    : connection_(std::move(connection)),
      clock_(options.clock),
      entropy_(options.entropy),
      patience_(options.patience),
      share_(share),
      random_(std::random_device{}()) {
}

Status PostgresWriter::write(const std::function<Status(Transaction&)>& apply) {
  const auto deadline = SteadyClock::now() + patience_;
  Attempt attempt{};
  for (int tries = 0; tries < kAttemptsMax; ++tries) {
    if (tries > 0) {
      retries_.fetch_add(1, std::memory_order_relaxed);
      pause(tries);
    }
    const ChangeGate::Pass pass(share_.gate, /*is_alone=*/tries > 0);
    attempt = try_once(apply, deadline, tries == 0);
    if (attempt.next == Next::kDone) return attempt.outcome;
  }
  if (attempt.outcome.error().code != "store.retry") return attempt.outcome;
  return Error{
      ErrorKind::kUnavailable, "store.busy",
      fmt::format("other changes were in the way {} times: {}", kAttemptsMax, attempt.outcome.error().message)};
}

PostgresWriter::Attempt PostgresWriter::try_once(const std::function<Status(Transaction&)>& apply,
                                                 SteadyClock::time_point deadline, bool is_first) {
  using Failure = PostgresConnection::Failure;
  if (Status connected = connect(deadline); !connected) return {std::move(connected), Next::kDone};
  if (Status right = share_.clock_guard.check(clock_.now()); !right) return {std::move(right), Next::kDone};
  connection_->begin(kBegin);
  SqlTransaction transaction(*connection_, clock_, entropy_);
  Status outcome = transaction.run(apply);
  if (outcome) {
    outcome = connection_->commit();
    if (outcome) return {std::move(outcome), Next::kDone};
    if (connection_->failure() == Failure::kBroken) return settle_lost_commit(transaction, deadline);
  }
  const Failure failure = connection_->failure();
  connection_->rollback();
  switch (failure) {
    case Failure::kRetry:
    case Failure::kBroken:  // COMMIT was never sent
      return {std::move(outcome), Next::kAgain};
    case Failure::kUnique:
      // A concurrent change may have written it just now: the next snapshot shows it to whoever looks first.
      return {std::move(outcome), is_first ? Next::kAgain : Next::kDone};
    default:
      return {std::move(outcome), Next::kDone};
  }
}

// COMMIT was sent and no answer came. The audit entry tells: it is in the database exactly if its transaction was
// committed.
PostgresWriter::Attempt PostgresWriter::settle_lost_commit(const SqlTransaction& transaction,
                                                           SteadyClock::time_point deadline) {
  const auto& entry = transaction.audit().last();
  // It wrote nothing.
  if (!entry) return {connection_lost(), Next::kAgain};
  do {
    if (!connect(deadline)) break;
    const auto committed = was_committed(*entry);
    if (committed && *committed) return {{}, Next::kDone};
    if (committed) return {connection_lost(), Next::kAgain};
  } while (SteadyClock::now() < deadline);
  return {Error{ErrorKind::kUnavailable, "store.unknown",
                "the database went away while a change was being committed: whether it was is not known"},
          Next::kDone};
}

Result<bool> PostgresWriter::was_committed(const SqlAuditTrail::Key& entry) {
  connection_->begin(kBeginProbe);
  auto recorded = is_recorded(*connection_, entry);
  connection_->rollback();
  return recorded;
}

// The log may have grown by other nodes while this one was away.
Status PostgresWriter::connect(SteadyClock::time_point deadline) {
  if (!connection_->was_left() && share_.clock_guard.knows_newest()) return {};
  if (away_since_) deadline = std::min(deadline, *away_since_ + patience_);
  for (;;) {
    Status connected = connection_->was_left() ? connection_->reopen() : Status();
    if (connected) {
      const auto newest = find_latest_audit_time(*connection_);
      connected = newest ? Status() : Status(newest.error());
      if (newest) share_.clock_guard.learn(*newest);
    }
    if (connected) {
      away_since_.reset();
      return connected;
    }
    const auto now = SteadyClock::now();
    if (!away_since_) away_since_ = now;
    if (now + kReconnectPause >= deadline) return connected;
    std::this_thread::sleep_for(kReconnectPause);
  }
}

void PostgresWriter::pause(int attempt) {
  const auto longest = std::min(kPauseMax, kPauseMin * (1 << std::min(attempt, 10)));
  std::uniform_int_distribution<std::int64_t> any(0, longest.count());
  std::this_thread::sleep_for(std::chrono::microseconds(any(random_)));
}

}  // namespace warifu::store

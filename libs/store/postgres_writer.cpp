#include "store/postgres_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

namespace warifu::store {
namespace {

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
constexpr const char* kBeginProbe = "BEGIN ISOLATION LEVEL READ COMMITTED";
// With pauses that double up to a tenth of a second: about two seconds.
constexpr int kAttemptsMax = 30;
// After so many a change that is always in another's way no longer holds up its neighbours.
constexpr int kAttemptsTogether = 4;
constexpr std::chrono::microseconds kPauseMin{500};
constexpr std::chrono::microseconds kPauseMax{100'000};
constexpr std::chrono::milliseconds kReconnectPause{100};

// Nothing happened; if it cannot be tried again, this is the answer.
Error connection_lost() {
  return {ErrorKind::kUnavailable, "store.unavailable", "the connection to the database was lost"};
}

// What a change is told that was tried as often as may be.
Status given_up(Status outcome) {
  if (outcome.error().code != "store.retry") return outcome;
  return Error{ErrorKind::kUnavailable, "store.busy",
               fmt::format("other changes were in the way {} times: {}", kAttemptsMax, outcome.error().message)};
}

}  // namespace

Result<std::unique_ptr<PostgresWriter>> PostgresWriter::open(const PostgresOptions& options) {
  TRY(auto connection,
      PostgresConnection::open(
          {.url = options.url, .allow_unsafe_server = options.allow_unsafe_server, .by_index_only = true}));
  return std::unique_ptr<PostgresWriter>(new PostgresWriter(std::move(connection), options));
}

PostgresWriter::PostgresWriter(std::unique_ptr<PostgresConnection> connection, const PostgresOptions& options)
    : connection_(std::move(connection)),
      clock_(options.clock),
      entropy_(options.entropy),
      patience_(options.patience),
      random_(std::random_device{}()) {
}

void PostgresWriter::commit_batch(std::span<Change> batch) {
  const auto deadline = SteadyClock::now() + patience_;
  std::vector<Waiting> waiting;
  waiting.reserve(batch.size());
  for (Change& change : batch)
    waiting.push_back({.change = &change});
  for (int tries = 0; tries < kAttemptsMax && !waiting.empty(); ++tries) {
    if (tries > 0) {
      retries_.fetch_add(waiting.size(), std::memory_order_relaxed);
      pause(tries);
    }
    const std::size_t size = tries < kAttemptsTogether ? waiting.size() : 1;
    for (std::size_t i = 0; i < waiting.size(); i += size)
      try_once(std::span(waiting).subspan(i, size), deadline);
    std::erase_if(waiting, [](const Waiting& one) { return one.is_answered; });
  }
  for (Waiting& one : waiting)
    one.change->done(given_up(std::move(one.outcome)));
}

// Answers those whose outcome is certain.
void PostgresWriter::try_once(std::span<Waiting> group, SteadyClock::time_point deadline) {
  Made made;
  Fate fate = Fate::kCertain;
  if (const Status ready = get_ready(deadline); !ready) {
    fail_all(group, ready);
  } else {
    connection_->begin(kBegin);
    fate = apply_all(group, made);
    if (fate == Fate::kCertain) fate = commit(group, made, deadline);
  }
  if (fate == Fate::kAgain) return;
  for (Waiting& one : group) {
    one.is_answered = !one.looks_again;
    if (one.looks_again) continue;
    one.change->done(std::move(one.outcome));
  }
}

void PostgresWriter::fail_all(std::span<Waiting> group, const Status& status) {
  for (Waiting& one : group) {
    one.outcome = status;
    one.looks_again = false;
  }
}

Status PostgresWriter::get_ready(SteadyClock::time_point deadline) {
  TRY_STATUS(connect(deadline));
  return clock_guard_.check(clock_.now());
}

PostgresWriter::Fate PostgresWriter::apply_all(std::span<Waiting> group, Made& made) {
  for (Waiting& one : group) {
    if (apply(one, group.size() == 1, made) == Fate::kCertain) continue;
    connection_->rollback();
    fail_all(group, Status(one.outcome));
    return Fate::kAgain;
  }
  return Fate::kCertain;
}

// Again: the server has given up the whole transaction, or is gone; COMMIT was never sent.
PostgresWriter::Fate PostgresWriter::apply(Waiting& one, bool is_alone, Made& made) {
  if (!is_alone) connection_->set_savepoint();
  SqlTransaction transaction(*connection_, clock_, entropy_);
  one.outcome = transaction.run(one.change->apply);
  const Failure failure = connection_->failure();
  if (failure == Failure::kRetry || failure == Failure::kBroken) return Fate::kAgain;
  // A concurrent change may have written it just now: the next snapshot shows it to whoever looks first.
  one.looks_again = failure == Failure::kUnique && !std::exchange(one.had_conflict, failure == Failure::kUnique);
  if (one.outcome) {
    made.any = true;
    made.has_appended = made.has_appended || transaction.has_appended();
    if (transaction.audit().last()) made.audited = transaction.audit().last();
  }
  if (!is_alone) one.outcome ? connection_->release_savepoint() : connection_->undo_to_savepoint();
  return Fate::kCertain;
}

PostgresWriter::Fate PostgresWriter::commit(std::span<Waiting> group, const Made& made,
                                            SteadyClock::time_point deadline) {
  if (!made.any) {
    connection_->rollback();
    return Fate::kCertain;
  }
  const Status committed = connection_->commit();
  if (!committed && connection_->failure() == Failure::kBroken) return settle_lost_commit(group, made, deadline);
  if (committed) {
    ++commits_;
    if (made.has_appended && outbox_wake_ != nullptr) outbox_wake_->wake();
    return Fate::kCertain;
  }
  const bool is_retry = connection_->failure() == Failure::kRetry;
  connection_->rollback();
  // A refusal may rest on what another change of this batch wrote: when that is gone, so is the refusal.
  fail_all(group, committed);
  // Of several it is not known whose fault it is: in the end each goes alone.
  return is_retry || group.size() > 1 ? Fate::kAgain : Fate::kCertain;
}

// COMMIT was sent and no answer came. Any audit entry of the transaction tells: it is in the database exactly if the
// transaction was committed.
PostgresWriter::Fate PostgresWriter::settle_lost_commit(std::span<Waiting> group, const Made& made,
                                                        SteadyClock::time_point deadline) {
  const auto again = [&] {
    fail_all(group, connection_lost());
    return Fate::kAgain;
  };
  if (!made.audited) return again();  // it wrote nothing that counts when it is done twice
  do {
    if (!connect(deadline)) break;
    const auto committed = was_committed(*made.audited);
    if (committed && *committed) return Fate::kCertain;
    if (committed) return again();
  } while (SteadyClock::now() < deadline);
  fail_all(group, Error{ErrorKind::kUnavailable, "store.unknown",
                        "the database went away while a change was being committed: whether it was is not known"});
  return Fate::kCertain;
}

Result<bool> PostgresWriter::was_committed(const SqlAuditTrail::Key& entry) {
  connection_->begin(kBeginProbe);
  auto recorded = is_recorded(*connection_, entry);
  connection_->rollback();
  return recorded;
}

// The log may have grown by other nodes while this one was away.
Status PostgresWriter::connect(SteadyClock::time_point deadline) {
  if (!connection_->was_left() && clock_guard_.knows_newest()) return {};
  if (away_since_) deadline = std::min(deadline, *away_since_ + patience_);
  for (;;) {
    Status connected = connection_->was_left() ? connection_->reopen() : Status();
    if (connected) {
      const auto newest = find_latest_audit_time(*connection_);
      connected = newest ? Status() : Status(newest.error());
      if (newest) clock_guard_.learn(*newest);
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

#pragma once

#include <atomic>
#include <chrono>
#include <random>
#include <span>

#include "store/clock_guard.h"
#include "store/postgres_connection.h"
#include "store/sql_transaction.h"
#include "webhooks/wake.h"

namespace warifu::store {

// How a store on a PostgreSQL server is opened.
struct PostgresOptions {
  std::string url;  // PostgresTarget::url
  const Clock& clock;
  Entropy& entropy;
  std::size_t readers = 4;           // reads at a time; a further one waits
  std::size_t queue_limit = 10'000;  // changes that may wait
  // Changes that may share a commit. A server remembers so many savepoints of a transaction where others look for them
  // (PGPROC_MAX_CACHED_SUBXIDS); with more, everybody's snapshots become slower.
  std::size_t batch_limit = 64;
  // How long a change waits for a server that is away, as it is while it is restarted or another takes its place.
  std::chrono::milliseconds patience{5'000};
  bool allow_unsafe_server = false;  // PostgresTarget::allow_unsafe_server
};

// Commits changes in batches, on the thread that calls it: each batch is one transaction, SERIALIZABLE, and is tried
// again as a whole when the server gives it up in favour of another node's. After some tries its changes go alone.
class PostgresWriter {
 public:
  static Result<std::unique_ptr<PostgresWriter>> open(const PostgresOptions& options);

  // Applies every change, each for itself, and calls every `done` once its outcome is certain. A change that fails is
  // undone alone. Beside the change's own errors: kUnavailable "store.busy": others were in the way too often.
  // "store.unavailable": the server is away, and nothing happened. "store.unknown": the server went away while the
  // change was being committed, and did not come back in time to say whether it was.
  void commit_batch(std::span<Change> batch);

  // Who is woken when something new is to be delivered. Before the first batch.
  void set_outbox_wake(webhooks::Wake* wake) { outbox_wake_ = wake; }

  // How many transactions were committed, and how often a change was tried again. Safe to ask from another thread.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t retries() const { return retries_.load(std::memory_order_relaxed); }

 private:
  using SteadyClock = std::chrono::steady_clock;
  using Failure = PostgresConnection::Failure;
  // A change that has no answer yet.
  struct Waiting {
    Change* change;
    Status outcome = {};        // of the last try
    bool is_answered = false;   // `done` was called
    bool had_conflict = false;  // in an earlier try: it met a unique key that was taken
    bool looks_again = false;   // it is not to be answered but tried once more, for the first such conflict
  };
  // What a transaction holds.
  struct Made {
    bool any = false;                           // a change that is to be committed
    bool has_appended = false;                  // to the outbox
    std::optional<SqlAuditTrail::Key> audited;  // an entry of one of them
  };
  enum class Fate { kCertain, kAgain };

  PostgresWriter(std::unique_ptr<PostgresConnection> connection, const PostgresOptions& options);

  void try_once(std::span<Waiting> group, SteadyClock::time_point deadline);
  static void fail_all(std::span<Waiting> group, const Status& status);
  Status get_ready(SteadyClock::time_point deadline);
  Fate apply_all(std::span<Waiting> group, Made& made);
  Fate apply(Waiting& waiting, bool is_alone, Made& made);
  Fate commit(std::span<Waiting> group, const Made& made, SteadyClock::time_point deadline);
  Fate settle_lost_commit(std::span<Waiting> group, const Made& made, SteadyClock::time_point deadline);
  Result<bool> was_committed(const SqlAuditTrail::Key& entry);
  Status connect(SteadyClock::time_point deadline);
  void pause(int attempt);

  std::unique_ptr<PostgresConnection> connection_;
  const Clock& clock_;
  Entropy& entropy_;
  const std::chrono::milliseconds patience_;
  ClockGuard clock_guard_;
  // While the server is away, only the first batch waits for it.
  std::optional<SteadyClock::time_point> away_since_;
  std::minstd_rand random_;
  webhooks::Wake* outbox_wake_ = nullptr;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> retries_ = 0;
};

}  // namespace warifu::store

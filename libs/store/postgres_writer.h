#pragma once

#include <atomic>
#include <chrono>
#include <random>

#include "store/change_gate.h"
#include "store/clock_guard.h"
#include "store/postgres_connection.h"
#include "store/sql_transaction.h"

namespace warifu::store {

// How a store on a PostgreSQL server is opened.
struct PostgresOptions {
  std::string url;  // PostgresTarget::url
  const Clock& clock;
  Entropy& entropy;
  std::size_t writers = 4;           // changes at a time
  std::size_t readers = 4;           // reads at a time; a further one waits
  std::size_t queue_limit = 10'000;  // changes that may wait
  // How long a change waits for a server that is away, as it is while it is restarted or another takes its place.
  std::chrono::milliseconds patience{5'000};
  bool allow_unsafe_server = false;  // PostgresTarget::allow_unsafe_server
};

// What the writers of one store have in common. It outlives them.
struct WritersShare {
  ClockGuard clock_guard;
  ChangeGate gate;
};

// Commits changes one by one, on the thread that calls it: each is a transaction of its own, SERIALIZABLE, and is tried
// again as a whole when the server gives it up in favour of another; then without the other writers of this node.
class PostgresWriter {
 public:
  static Result<std::unique_ptr<PostgresWriter>> open(const PostgresOptions& options, WritersShare& share);

  // What became of the change. kUnavailable "store.busy": others were in the way too often. "store.unavailable": the
  // server is away, and nothing happened. "store.unknown": the server went away while the change was being committed,
  // and did not come back in time to say whether it was.
  Status write(const std::function<Status(Transaction&)>& apply);

  // How often a change was tried again. Safe to ask from another thread.
  std::uint64_t retries() const { return retries_.load(std::memory_order_relaxed); }

 private:
  using SteadyClock = std::chrono::steady_clock;
  enum class Next { kDone, kAgain };
  struct Attempt {
    Status outcome;
    Next next;
  };

  PostgresWriter(std::unique_ptr<PostgresConnection> connection, const PostgresOptions& options, WritersShare& share);

  Attempt try_once(const std::function<Status(Transaction&)>& apply, SteadyClock::time_point deadline, bool is_first);
  Attempt settle_lost_commit(const SqlTransaction& transaction, SteadyClock::time_point deadline);
  Result<bool> was_committed(const SqlAuditTrail::Key& entry);
  Status connect(SteadyClock::time_point deadline);
  void pause(int attempt);

  std::unique_ptr<PostgresConnection> connection_;
  const Clock& clock_;
  Entropy& entropy_;
  const std::chrono::milliseconds patience_;
  WritersShare& share_;
  // While the server is away, only the first change waits for it.
  std::optional<SteadyClock::time_point> away_since_;
  std::minstd_rand random_;
  std::atomic<std::uint64_t> retries_ = 0;
};

}  // namespace warifu::store

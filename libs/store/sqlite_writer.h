#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "store/clock_guard.h"
#include "store/sql_transaction.h"
#include "store/sqlite_connection.h"
#include "webhooks/wake.h"

namespace warifu::store {

// How a database is opened.
struct SqliteOptions {
  std::filesystem::path path;
  const Clock& clock;
  Entropy& entropy;
  std::string vfs = {};  // where the files are; empty: in the operating system's. A simulation names its own
  std::chrono::milliseconds busy_timeout{5'000};  // how long to wait for another process's write
  std::size_t queue_limit = 10'000;               // changes that may wait
  std::size_t batch_limit = 128;                  // changes that may share a commit
  std::size_t readers = 4;                        // reads at a time; a further one waits
};

// A connection on which a COMMIT that succeeded is on disk.
Result<SqliteConnection> open_connection(const SqliteOptions& options, SqliteConnection::Mode mode);
// The same to a database that is there, or is made, and has the schema of this program.
Result<SqliteConnection> open_migrated(const SqliteOptions& options);

// Commits changes in batches, on the thread that calls it. SqliteStore gives it a thread of its own; a simulation calls
// it.
class SqliteWriter {
 public:
  SqliteWriter(SqliteConnection connection, const Clock& clock, Entropy& entropy);

  // Applies every change, each for itself, in one transaction, commits it and then calls every `done`. A change that
  // fails is undone alone. If the transaction or its commit fails, none of them happened and all are answered with that
  // error.
  void commit_batch(std::span<Change> batch);

  // Safe to ask from another thread.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  // Who is woken when something new is to be delivered. Before the first batch.
  void set_outbox_wake(webhooks::Wake* wake) { outbox_wake_ = wake; }
  // See Store. Safe to ask from another thread.
  std::uint64_t operators_version() const { return operators_version_.load(); }

 private:
  Status check_clock();
  Status commit(std::span<Change> batch);
  Status apply_all(std::span<Change> batch);
  Status apply(Change& change);

  SqliteConnection connection_;
  const Clock& clock_;
  Entropy& entropy_;
  ClockGuard clock_guard_;
  std::vector<Status> outcomes_;  // of each change of the batch that is being committed
  bool used_operators_ = false;   // by the batch that is being committed
  bool has_appended_ = false;     // to the outbox, by the same
  webhooks::Wake* outbox_wake_ = nullptr;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> operators_version_ = 0;
};

}  // namespace warifu::store

#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/postgres_loose_writes.h"
#include "store/postgres_pool.h"
#include "store/postgres_writer.h"
#include "store/sql_challenges.h"

namespace warifu::store {

// The database on a PostgreSQL server, which several nodes may share. Each change is a transaction of its own, and
// several are made at a time, each on a connection of its own; they end in any order. Reads see one state of the
// database, on other connections.
class PostgresStore final : public Store {
 public:
  // Makes the tables, or brings the schema up to date. Errors: those of PostgresConnection and of migrate().
  static Result<std::unique_ptr<PostgresStore>> open(const PostgresOptions& options);
  // Every change that was submitted gets its `done` before this returns.
  ~PostgresStore() override;

  Status read(const std::function<Status(Snapshot&)>& use) override;
  void submit(Change change) override;
  Result<std::optional<Timestamp>> latest_audit_at() override;
  void settle() override;

  provisioning::Challenges* shared_challenges() override { return &challenges_; }
  // What needs neither an audit entry nor the disk.
  LooseWrites& loose_writes() { return *loose_; }

  // How often changes were tried again, because the server gave them up in favour of others or was away.
  std::uint64_t retries() const;

 private:
  using Writers = std::vector<std::unique_ptr<PostgresWriter>>;

  PostgresStore(std::size_t queue_limit, std::unique_ptr<WritersShare> share, Writers writers,
                std::unique_ptr<PostgresPool> readers, std::unique_ptr<PostgresLooseWrites> loose);
  Status may_queue() const;
  void run(PostgresWriter& writer);
  std::optional<Change> take();

  const std::size_t queue_limit_;
  std::unique_ptr<WritersShare> share_;
  std::unique_ptr<PostgresPool> readers_;
  std::unique_ptr<PostgresLooseWrites> loose_;
  SqlChallenges challenges_;

  std::mutex mutex_;
  std::condition_variable submitted_;
  std::condition_variable done_;
  std::deque<Change> queue_;
  // Changes that were accepted, and those whose `done` has returned.
  std::uint64_t accepted_ = 0;
  std::uint64_t finished_ = 0;
  bool closing_ = false;

  Writers writers_;  // each belongs to a thread
  std::vector<std::thread> threads_;
};

}  // namespace warifu::store

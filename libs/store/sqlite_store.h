#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/sqlite_writer.h"

namespace warifu::store {

// The database in one file of this machine: one writer whose commits are shared by all that wait, and readers beside
// it.
class SqliteStore final : public Store {
 public:
  // Makes the database, or brings its schema up to date. Errors: those of Connection and of migrate().
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);
  // Every change that was submitted gets its `done` before this returns.
  ~SqliteStore() override;

  Status read(const std::function<Status(Snapshot&)>& use) override;
  void submit(Change change) override;
  std::optional<std::uint64_t> operators_version() const override { return writer_.operators_version(); }
  Result<std::optional<Timestamp>> latest_audit_at() override;
  Result<std::optional<DiskSpace>> disk_space() const override;

  // Commits so far. It grows slower than the changes when they share.
  std::uint64_t commits() const { return writer_.commits(); }

 private:
  class Loan;

  SqliteStore(const SqliteOptions& options, SqliteConnection writing, std::vector<SqliteConnection> reading);
  Status may_queue() const;
  void run();
  bool take_batch(std::vector<Change>& batch);

  const std::filesystem::path path_;
  const std::size_t queue_limit_;
  const std::size_t batch_limit_;

  std::mutex readers_mutex_;
  std::condition_variable reader_returned_;
  std::vector<SqliteConnection> readers_;  // those that nobody uses

  std::mutex queue_mutex_;
  std::condition_variable submitted_;
  std::deque<Change> queue_;
  bool closing_ = false;

  SqliteWriter writer_;  // belongs to the thread
  std::thread thread_;
};

}  // namespace warifu::store

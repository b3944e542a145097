#include "store/postgres_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/migrations.h"

namespace warifu::store {
namespace {

constexpr const char* kBeginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

Status bring_up_to_date(const PostgresTarget& target, const Clock& clock) {
  TRY(const auto connection, PostgresConnection::open(target));
  return migrate(*connection, postgres_schema(), postgres_migrations(), clock);
}

}  // namespace

Result<std::unique_ptr<PostgresStore>> PostgresStore::open(const PostgresOptions& options) {
  const PostgresTarget target{.url = options.url, .allow_unsafe_server = options.allow_unsafe_server};
  TRY_STATUS(bring_up_to_date(target, options.clock));
  TRY(auto writer, PostgresWriter::open(options));
  TRY(auto readers, PostgresPool::open(target, options.readers));
  TRY(auto loose, PostgresLooseWrites::open(target));
  return std::unique_ptr<PostgresStore>(
      new PostgresStore(options, std::move(writer), std::move(readers), std::move(loose)));
}

PostgresStore::PostgresStore(const PostgresOptions& options, std::unique_ptr<PostgresWriter> writer,
                             std::unique_ptr<PostgresPool> readers, std::unique_ptr<PostgresLooseWrites> loose)
    : queue_limit_(options.queue_limit),
      batch_limit_(options.batch_limit),
      readers_(std::move(readers)),
      loose_(std::move(loose)),
      challenges_(*loose_),
      writer_(std::move(writer)),
      thread_([this] {
        writer_->set_outbox_wake(&outbox_wake());
        run();
      }) {
}

PostgresStore::~PostgresStore() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  submitted_.notify_one();
  thread_.join();
  loose_.reset();  // before the challenges, which its last writes may count
}

Status PostgresStore::read(const std::function<Status(Snapshot&)>& use) {
  return readers_->run([&](PostgresConnection& connection) {
    connection.begin(kBeginRead);
    SqlSnapshot snapshot(connection);
    Status used = use(snapshot);
    connection.end_read();
    return used;
  });
}

Result<std::optional<Timestamp>> PostgresStore::latest_audit_at() {
  std::optional<Timestamp> latest;
  TRY_STATUS(readers_->run([&](PostgresConnection& connection) -> Status {
    TRY(latest, find_latest_audit_time(connection));
    return {};
  }));
  return latest;
}

void PostgresStore::submit(Change change) {
  {
    std::unique_lock lock(mutex_);
    if (Status room = may_queue(); !room) {
      lock.unlock();  // `done` may submit again
      return change.done(std::move(room));
    }
    queue_.push_back(std::move(change));
    ++accepted_;
  }
  submitted_.notify_one();
}

Status PostgresStore::may_queue() const {
  if (closing_) return Error{ErrorKind::kUnavailable, "store.closed", "the database is being closed"};
  if (queue_.size() < queue_limit_) return {};
  return Error{ErrorKind::kThrottled, "store.busy", "too many changes wait for the database: come back later"};
}

void PostgresStore::settle() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return finished_ == accepted_; });
}

void PostgresStore::run() {
  std::vector<Change> batch;
  while (take_batch(batch)) {
    const std::size_t size = batch.size();
    writer_->commit_batch(batch);
    batch.clear();  // what they hold goes before anybody is told that they are over
    {
      const std::lock_guard lock(mutex_);
      finished_ += size;
    }
    done_.notify_all();
  }
}

// Whatever waits, and a change that is alone waits for nobody.
bool PostgresStore::take_batch(std::vector<Change>& batch) {
  std::unique_lock lock(mutex_);
  submitted_.wait(lock, [&] { return closing_ || !queue_.empty(); });
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), batch_limit_));
  std::move(queue_.begin(), end, std::back_inserter(batch));
  queue_.erase(queue_.begin(), end);
  return !batch.empty();
}

}  // namespace warifu::store

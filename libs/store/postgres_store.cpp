#include "store/postgres_store.h"

#include <algorithm>
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
  auto share = std::make_unique<WritersShare>();
  Writers writers;
  for (std::size_t i = 0; i < options.writers; ++i) {
    TRY(auto writer, PostgresWriter::open(options, *share));
    writers.push_back(std::move(writer));
  }
  TRY(auto readers, PostgresPool::open(target, options.readers));
  TRY(auto loose, PostgresLooseWrites::open(target));
  return std::unique_ptr<PostgresStore>(new PostgresStore(options.queue_limit, std::move(share), std::move(writers),
                                                          std::move(readers), std::move(loose)));
}

PostgresStore::PostgresStore(std::size_t queue_limit, std::unique_ptr<WritersShare> share, Writers writers,
                             std::unique_ptr<PostgresPool> readers, std::unique_ptr<PostgresLooseWrites> loose)
    : queue_limit_(queue_limit),
      share_(std::move(share)),
      readers_(std::move(readers)),
      loose_(std::move(loose)),
      challenges_(*loose_),
      writers_(std::move(writers)) {
  threads_.reserve(writers_.size());
  for (const auto& writer : writers_)
    threads_.emplace_back([this, &writer] { run(*writer); });
}

PostgresStore::~PostgresStore() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  submitted_.notify_all();
  for (auto& thread : threads_)
    thread.join();
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

void PostgresStore::run(PostgresWriter& writer) {
  while (auto change = take()) {
    change->done(writer.write(change->apply));
    change.reset();  // what it holds goes before anybody is told that it is over
    {
      const std::lock_guard lock(mutex_);
      ++finished_;
    }
    done_.notify_all();
  }
}

std::optional<Change> PostgresStore::take() {
  std::unique_lock lock(mutex_);
  submitted_.wait(lock, [&] { return closing_ || !queue_.empty(); });
  if (queue_.empty()) return std::nullopt;
  std::optional<Change> taken(std::move(queue_.front()));
  queue_.pop_front();
  return taken;
}

std::uint64_t PostgresStore::retries() const {
  std::uint64_t sum = 0;
  for (const auto& writer : writers_)
    sum += writer->retries();
  return sum;
}

}  // namespace warifu::store

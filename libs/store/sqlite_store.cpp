#include "store/sqlite_store.h"

#include <fmt/format.h>

#include <iterator>

namespace warifu::store {
namespace {

constexpr Sql kBegin = "BEGIN";
constexpr Sql kEnd = "COMMIT";
constexpr Sql kRollback = "ROLLBACK";

}  // namespace

// A reader taken out of the pool, until the end of the scope.
class SqliteStore::Loan {
 public:
  explicit Loan(SqliteStore& store) : store_(store), connection_(take(store)) {}
  ~Loan() {
    {
      const std::lock_guard lock(store_.readers_mutex_);
      store_.readers_.push_back(std::move(connection_));
    }
    store_.reader_returned_.notify_one();
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  SqliteConnection& connection() { return connection_; }

 private:
  static SqliteConnection take(SqliteStore& store) {
    std::unique_lock lock(store.readers_mutex_);
    store.reader_returned_.wait(lock, [&] { return !store.readers_.empty(); });
    SqliteConnection taken = std::move(store.readers_.back());
    store.readers_.pop_back();
    return taken;
  }

  SqliteStore& store_;
  SqliteConnection connection_;
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  TRY(auto writing, open_migrated(options));
  std::vector<SqliteConnection> reading;
  for (std::size_t i = 0; i < options.readers; ++i) {
    TRY(auto connection, open_connection(options, SqliteConnection::Mode::kExisting));
    TRY_STATUS(connection.execute("PRAGMA query_only = ON"));
    reading.push_back(std::move(connection));
  }
  return std::unique_ptr<SqliteStore>(new SqliteStore(options, std::move(writing), std::move(reading)));
}

SqliteStore::SqliteStore(const SqliteOptions& options, SqliteConnection writing, std::vector<SqliteConnection> reading)
    : path_(options.path),
      queue_limit_(options.queue_limit),
      batch_limit_(options.batch_limit),
      readers_(std::move(reading)),
      writer_(std::move(writing), options.clock, options.entropy),
      thread_([this] {
        writer_.set_outbox_wake(&outbox_wake());
        run();
      }) {
}

Result<std::optional<DiskSpace>> SqliteStore::disk_space() const {
  std::error_code error;
  const auto space = std::filesystem::space(path_, error);
  if (error)
    return Error{ErrorKind::kUnavailable, "store.disk",
                 fmt::format("how much room the database's disk has is unknown: {}", error.message())};
  return std::optional(DiskSpace{space.available, space.capacity});
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(queue_mutex_);
    closing_ = true;
  }
  submitted_.notify_one();
  thread_.join();
}

Status SqliteStore::read(const std::function<Status(Snapshot&)>& use) {
  Loan loan(*this);
  Connection& connection = loan.connection();
  TRY_STATUS(connection.run(kBegin));
  SqlSnapshot snapshot(connection);
  Status used = use(snapshot);
  Status ended = connection.run(kEnd);
  if (connection.in_transaction()) std::ignore = connection.run(kRollback);
  return used ? ended : used;
}

Result<std::optional<Timestamp>> SqliteStore::latest_audit_at() {
  Loan loan(*this);
  return find_latest_audit_time(loan.connection());
}

void SqliteStore::submit(Change change) {
  {
    std::unique_lock lock(queue_mutex_);
    if (Status room = may_queue(); !room) {
      lock.unlock();  // `done` may submit again
      return change.done(std::move(room));
    }
    queue_.push_back(std::move(change));
  }
  submitted_.notify_one();
}

Status SqliteStore::may_queue() const {
  if (closing_) return Error{ErrorKind::kUnavailable, "store.closed", "the database is being closed"};
  if (queue_.size() < queue_limit_) return {};
  return Error{ErrorKind::kThrottled, "store.busy", "too many changes wait for the disk: come back later"};
}

void SqliteStore::run() {
  std::vector<Change> batch;
  while (take_batch(batch)) {
    writer_.commit_batch(batch);
    batch.clear();
  }
}

// What came while the last batch was being committed is the next one: under load commits are shared, without it nobody
// waits.
bool SqliteStore::take_batch(std::vector<Change>& batch) {
  std::unique_lock lock(queue_mutex_);
  submitted_.wait(lock, [&] { return closing_ || !queue_.empty(); });
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), batch_limit_));
  std::move(queue_.begin(), end, std::back_inserter(batch));
  queue_.erase(queue_.begin(), end);
  return !batch.empty();
}

}  // namespace warifu::store

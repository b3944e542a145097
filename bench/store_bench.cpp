#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <latch>
#include <memory>

#include "base/time.h"
#include "crypto/system_entropy.h"
#include "rows.h"
#include "store/sample_records.h"
#include "store/sqlite_store.h"
#include "store/temp_dir.h"

namespace warifu::bench {
namespace {

namespace sample = store::sample;
using sqlite_statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

constexpr std::uint64_t kInFlight = 32;
constexpr std::uint64_t kPerFlight = 4;
constexpr std::uint64_t kPerCall = kInFlight * kPerFlight;

[[noreturn]] void give_up(const std::string& message) {
  std::fprintf(stderr, "store_bench: %s\n", message.c_str());
  std::abort();
}

audit::Entry opened_entry(const provisioning::Operation& operation) {
  return {"device:" + operation.registration_id.text(), "registration.open",
          "device:" + operation.registration_id.text(),
          R"({"operationId":"01928c0a-6c00-7000-8000-000000000000","firstAssignment":true})"};
}
audit::Entry ended_entry(const provisioning::Operation& operation) {
  return {"device:" + operation.registration_id.text(), "registration.end",
          "device:" + operation.registration_id.text(), R"({"operationId":"01928c0a-6c00-7000-8000-000000000000"})"};
}

// Answers without writing: what the self-check must notice.
class AcceptingStore final : public store::Store {
 public:
  explicit AcceptingStore(store::Store& inner) : inner_(inner) {}
  Status read(const std::function<Status(store::Snapshot&)>& use) override { return inner_.read(use); }
  void submit(store::Change change) override { change.done({}); }
  Result<std::optional<Timestamp>> latest_audit_at() override { return inner_.latest_audit_at(); }

 private:
  store::Store& inner_;
};

// Registrations through the product: each is one change that opens the operation and, once that is on disk, one that
// ends it.
class StoreRegistrations {
 public:
  StoreRegistrations(const std::filesystem::path& path, Sabotage sabotage) {
    auto opened = store::SqliteStore::open({.path = path, .clock = clock_, .entropy = entropy_});
    if (!opened) give_up(to_string(opened.error()));
    sqlite_ = *std::move(opened);
    const Status made = sqlite_->write([](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
      return t.audit().record(sample::scope(), {"system", "scope.create", "scope", "{}"});
    });
    if (!made) give_up(to_string(made.error()));
    if (sabotage == Sabotage::kAcceptAll) accepting_ = std::make_unique<AcceptingStore>(*sqlite_);
  }

  // What was answered is there: the last registration of the call is read back.
  void run() {
    const Status status = try_run();
    if (!status) give_up(to_string(status.error()));
  }

  Status try_run() {
    std::latch landed(kInFlight);
    for (std::uint64_t flight = 0; flight < kInFlight; ++flight)
      open(next_ + flight * kPerFlight, kPerFlight, landed);
    landed.wait();
    next_ += kPerCall;
    if (failed_) return Error{ErrorKind::kInternal, "bench.self-check", "a registration was refused"};
    return check_is_there(next_ - 1);
  }

  Status single_write() {
    const std::uint64_t number = next_++;
    return target().write([number](store::Transaction& t) -> Status {
      const auto operation = sample::operation(number, number);
      TRY_STATUS(t.provisioning().insert_operation(operation));
      return t.audit().record(operation.scope, opened_entry(operation));
    });
  }

  Status self_check() {
    const std::uint64_t first = next_;
    TRY_STATUS(try_run());
    for (std::uint64_t number = first; number < next_; ++number)
      TRY_STATUS(check_is_there(number));
    return {};
  }

 private:
  store::Store& target() { return accepting_ ? static_cast<store::Store&>(*accepting_) : *sqlite_; }

  void open(std::uint64_t number, std::uint64_t left, std::latch& landed) {
    if (left == 0) return landed.count_down();
    target().submit({[number](store::Transaction& t) -> Status {
                       const auto operation = sample::operation(number, number);
                       TRY_STATUS(t.provisioning().insert_operation(operation));
                       TRY_STATUS(t.provisioning().put_device(sample::device(number, number)));
                       return t.audit().record(operation.scope, opened_entry(operation));
                     },
                     [this, number, left, &landed](const Status& status) {
                       failed_ = failed_ || !status;
                       end(number, left, landed);
                     }});
  }
  void end(std::uint64_t number, std::uint64_t left, std::latch& landed) {
    target().submit(
        {[number](store::Transaction& t) -> Status {
           const auto operation = sample::operation(number, number);
           TRY_STATUS(t.provisioning().end_operation(operation.scope, operation.operation_id, sample::time(number)));
           return t.audit().record(operation.scope, ended_entry(operation));
         },
         [this, number, left, &landed](const Status& status) {
           failed_ = failed_ || !status;
           open(number + 1, left - 1, landed);
         }});
  }

  Status check_is_there(std::uint64_t number) {
    return sqlite_->read([number](store::Snapshot& s) -> Status {
      auto expected = sample::operation(number, number);
      expected.ended_at = sample::time(number);
      TRY(const auto operation, s.provisioning().find_operation(expected.scope, expected.operation_id));
      TRY(const auto device, s.provisioning().find_device(expected.scope, sample::device(number, number).device_id));
      if (operation && device && sample::fields(*operation) == sample::fields(expected)) return {};
      return Error{ErrorKind::kInternal, "bench.self-check", "a registration was answered and is not there"};
    });
  }

  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  std::unique_ptr<store::SqliteStore> sqlite_;
  std::unique_ptr<AcceptingStore> accepting_;
  std::uint64_t next_ = 1;
  bool failed_ = false;  // written on the writer's thread, read after the latch
};

// The same rows into the same tables by the C interface alone: 32 registrations a commit.
class BareRegistrations {
 public:
  explicit BareRegistrations(const std::filesystem::path& path) {
    const auto made = store::open_migrated({.path = path, .clock = clock_, .entropy = entropy_});
    if (!made) give_up(to_string(made.error()));
    if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK) give_up("cannot open the bare database");
    // The product's own settings where they decide how much is written.
    execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -16384");
    execute("INSERT INTO scopes VALUES ('" + sample::scope().text() + "', 'Example', 0)");
    open_ = prepare("INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)");
    device_ = prepare(
        "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (scope_id, device_id) DO UPDATE SET operation_id = excluded.operation_id, "
        "sealed_hub_key = excluded.sealed_hub_key, updated_at = excluded.updated_at");
    end_ = prepare("UPDATE operations SET ended_at = ? WHERE scope_id = ? AND operation_id = ? AND ended_at IS NULL");
    audit_ = prepare("INSERT INTO audit_entries VALUES (?, ?, ?, ?, ?, ?, ?)");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
  }
  ~BareRegistrations() {
    for (auto* statement : {&open_, &device_, &end_, &audit_, &begin_, &commit_})
      statement->reset();
    sqlite3_close(connection_);
  }
  BareRegistrations(const BareRegistrations&) = delete;
  BareRegistrations& operator=(const BareRegistrations&) = delete;

  void run() {
    for (std::uint64_t group = 0; group < kPerFlight; ++group, next_ += kInFlight) {
      step(begin_);
      for (std::uint64_t i = next_; i < next_ + kInFlight; ++i)
        open(i);
      step(commit_);
      step(begin_);
      for (std::uint64_t i = next_; i < next_ + kInFlight; ++i)
        end(i);
      step(commit_);
    }
  }

 private:
  void execute(const std::string& sql) {
    if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      give_up(sqlite3_errmsg(connection_));
  }
  sqlite_statement prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
      give_up(sqlite3_errmsg(connection_));
    return {statement, sqlite3_finalize};
  }
  void step(const sqlite_statement& statement) {
    if (sqlite3_step(statement.get()) != SQLITE_DONE) give_up(sqlite3_errmsg(connection_));
    sqlite3_reset(statement.get());
  }
  static void bind(const sqlite_statement& statement, int at, const std::string& text) {
    sqlite3_bind_text(statement.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  static void bind(const sqlite_statement& statement, int at, std::string_view text) {
    sqlite3_bind_text(statement.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  static void bind(const sqlite_statement& statement, int at, ByteView bytes) {
    sqlite3_bind_blob(statement.get(), at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  static void bind(const sqlite_statement& statement, int at, std::int64_t value) {
    sqlite3_bind_int64(statement.get(), at, value);
  }

  void open(std::uint64_t number) {
    const auto o = sample::operation(number, number);
    bind(open_, 1, o.scope.text());
    bind(open_, 2, o.operation_id.bytes());
    bind(open_, 3, o.registration_id.text());
    bind(open_, 4, o.enrollment_id.bytes());
    bind(open_, 5, o.challenge_id.bytes());
    bind(open_, 6, ByteView(o.sealed_challenge_key));
    bind(open_, 7, ByteView(o.token_digest));
    bind(open_, 8, ByteView(o.srk_public));
    bind(open_, 9, std::int64_t{1});
    bind(open_, 10, to_micros(o.created_at));
    step(open_);
    const auto d = sample::device(number, number);
    bind(device_, 1, d.scope.text());
    bind(device_, 2, d.device_id.text());
    bind(device_, 3, d.registration_id.text());
    bind(device_, 4, d.enrollment_id.bytes());
    bind(device_, 5, d.operation_id.bytes());
    bind(device_, 6, std::string_view("provisioned"));
    bind(device_, 7, std::string_view("none"));
    bind(device_, 8, ByteView(d.ek_name));
    bind(device_, 9, ByteView(d.srk_name));
    bind(device_, 10, d.assigned_hub);
    bind(device_, 11, ByteView(d.sealed_hub_key));
    bind(device_, 12, to_micros(d.created_at));
    bind(device_, 13, to_micros(d.updated_at));
    step(device_);
    audit(o.scope, opened_entry(o));
  }
  void end(std::uint64_t number) {
    const auto o = sample::operation(number, number);
    bind(end_, 1, to_micros(o.created_at));
    bind(end_, 2, o.scope.text());
    bind(end_, 3, o.operation_id.bytes());
    step(end_);
    audit(o.scope, ended_entry(o));
  }
  void audit(const ScopeId& scope, const audit::Entry& entry) {
    const Timestamp now = clock_.now();
    const Uuid id = Uuid::v7(now, entropy_);
    bind(audit_, 1, scope.text());
    bind(audit_, 2, id.bytes());
    bind(audit_, 3, to_micros(now));
    bind(audit_, 4, entry.actor);
    bind(audit_, 5, entry.action);
    bind(audit_, 6, entry.subject);
    bind(audit_, 7, entry.detail);
    step(audit_);
  }

  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  sqlite3* connection_ = nullptr;
  sqlite_statement open_{nullptr, sqlite3_finalize},
      device_ = {nullptr, sqlite3_finalize}, end_ = {nullptr, sqlite3_finalize}, audit_ = {nullptr, sqlite3_finalize},
      begin_ = {nullptr, sqlite3_finalize}, commit_ = {nullptr, sqlite3_finalize};
  std::uint64_t next_ = 1;
};

// The least that makes one thing durable: a page in a file that need not grow, as the pages of a log that is used
// again. (An append costs the file system's own journal too, and SQLite is then faster than its bound.)
class PageAndSync {
 public:
  explicit PageAndSync(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) {
    for (int page = 0; page < kPages; ++page)
      run();
  }
  ~PageAndSync() { ::close(descriptor_); }
  PageAndSync(const PageAndSync&) = delete;
  PageAndSync& operator=(const PageAndSync&) = delete;

  void run() {
    const off_t at = static_cast<off_t>(page_.size()) * (next_++ % kPages);
    if (::pwrite(descriptor_, page_.data(), page_.size(), at) < 0 || ::fdatasync(descriptor_) != 0)
      give_up("cannot sync");
  }

 private:
  static constexpr int kPages = 256;
  int descriptor_;
  int next_ = 0;
  const Bytes page_ = Bytes(4096, 0x5a);
};

// Everything lies in one directory on the disk from which the benchmark is started, because /tmp may be memory.
struct Directory {
  explicit Directory(Sabotage sabotage)
      : product(dir.path() / "product.db", sabotage), bare(dir.path() / "bare.db"), page(dir.path() / "page") {}
  store::TempDir dir{std::filesystem::current_path()};
  StoreRegistrations product;
  BareRegistrations bare;
  PageAndSync page;
};

}  // namespace

std::vector<Row> store_rows(Sabotage sabotage) {
  const auto here = std::make_shared<Directory>(sabotage);
  Row s1{.id = "S1",
         .what = "128 durable registrations, 32 in flight (bound: bare SQLite, 32 a commit)",
         .goal = 0.70,
         .floor = 0.50,
         .self_check = [here] { return here->product.self_check(); },
         .bound = [here] { here->bare.run(); },
         .product = [here] { here->product.run(); },
         .time = Row::Time::kWall};
  Row s2{.id = "S2",
         .what = "one durable write (bound: 4 KiB written in place and fdatasync)",
         .goal = 0.40,
         .floor = 0.25,
         .self_check = [here] { return here->product.self_check(); },
         .bound = [here] { here->page.run(); },
         .product =
             [here] {
               if (!here->product.single_write()) give_up("a write was refused");
             },
         .time = Row::Time::kWallMedian};
  return {std::move(s1), std::move(s2)};
}

}  // namespace warifu::bench

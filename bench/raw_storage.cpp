#include "raw_storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "harness.h"
#include "store/sample_records.h"
#include "store/sqlite_writer.h"

namespace warifu::bench {
namespace {

namespace sample = store::sample;

void bind_at(sqlite3_stmt* statement, int at, std::string_view text) {
  sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}
void bind_at(sqlite3_stmt* statement, int at, ByteView bytes) {
  sqlite3_bind_blob(statement, at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
}
void bind_at(sqlite3_stmt* statement, int at, std::int64_t value) {
  sqlite3_bind_int64(statement, at, value);
}
template <class Statement, class... Values>
void bind_all(const Statement& statement, const Values&... values) {
  int at = 0;
  (bind_at(statement.get(), ++at, values), ...);
}

sqlite3* open_raw(const std::filesystem::path& path) {
  sqlite3* connection = nullptr;
  if (sqlite3_open(path.c_str(), &connection) != SQLITE_OK) give_up("cannot open the bare database");
  return connection;
}

// The tables are the product's.
const std::filesystem::path& migrated(const std::filesystem::path& path) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  const auto made = store::open_migrated({.path = path, .clock = clock, .entropy = entropy});
  if (!made) give_up(to_string(made.error()));
  return path;
}

}  // namespace

std::filesystem::path folder_on_disk() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

audit::Entry opened_entry(const provisioning::Operation& operation) {
  const std::string device = "device:" + operation.registration_id.text();
  return {device, "registration.open", device,
          R"({"operationId":"01928c0a-6c00-7000-8000-000000000000","firstAssignment":true})"};
}

audit::Entry ended_entry(const provisioning::Operation& operation) {
  const std::string device = "device:" + operation.registration_id.text();
  return {device, "registration.end", device, R"({"operationId":"01928c0a-6c00-7000-8000-000000000000"})"};
}

BareRegistrations::BareRegistrations(const std::filesystem::path& path)
    : connection_(open_raw(migrated(path)), sqlite3_close),
      begin_(prepare("BEGIN IMMEDIATE")),
      commit_(prepare("COMMIT")),
      open_(prepare("INSERT INTO operations (scope_id, operation_id, registration_id, enrollment_id, mechanism, state, "
                    "substatus, challenge_id, sealed_challenge_key, ek_name, srk_public, token_digest, created_at) "
                    "VALUES (?, ?, ?, ?, 'tpm', 'assigned', 'initialAssignment', ?, ?, ?, ?, ?, ?)")),
      device_(prepare("INSERT INTO devices (scope_id, device_id, registration_id, enrollment_id, operation_id, state, "
                      "hold, ek_name, srk_name, assigned_hub, sealed_hub_key, created_at, updated_at, mechanism) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'tpm') "
                      "ON CONFLICT (scope_id, device_id) DO UPDATE SET operation_id = excluded.operation_id, "
                      "sealed_hub_key = excluded.sealed_hub_key, updated_at = excluded.updated_at")),
      end_(prepare("UPDATE operations SET ended_at = ? WHERE scope_id = ? AND operation_id = ? AND ended_at IS NULL")),
      audit_(prepare("INSERT INTO audit_entries VALUES (?, ?, ?, ?, ?, ?, ?)")) {
  // The product's own settings where they decide how much is written.
  execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -65536");
  execute("INSERT INTO scopes VALUES ('" + sample::scope().text() + "', 'Example', 0)");
}

void BareRegistrations::run(std::uint64_t groups, std::uint64_t group) {
  for (; groups > 0; --groups, next_ += group) {
    step(begin_);
    for (std::uint64_t i = next_; i < next_ + group; ++i)
      open(i);
    step(commit_);
    step(begin_);
    for (std::uint64_t i = next_; i < next_ + group; ++i)
      end(i);
    step(commit_);
  }
}

void BareRegistrations::execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(sqlite3_errmsg(connection_.get()));
}

BareRegistrations::Statement BareRegistrations::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    give_up(sqlite3_errmsg(connection_.get()));
  return {statement, sqlite3_finalize};
}

void BareRegistrations::step(const Statement& statement) {
  if (sqlite3_step(statement.get()) != SQLITE_DONE) give_up(sqlite3_errmsg(connection_.get()));
  sqlite3_reset(statement.get());
}

void BareRegistrations::open(std::uint64_t number) {
  const auto o = sample::operation(number, number);
  bind_all(open_, o.scope.text(), o.operation_id.bytes(), o.registration_id.text(), o.enrollment_id.bytes(),
           o.challenge_id->bytes(), ByteView(o.sealed_challenge_key), ByteView(o.ek_name), ByteView(o.srk_public),
           ByteView(o.token_digest), to_micros(o.created_at));
  step(open_);
  const auto d = sample::device(number, number);
  bind_all(device_, d.scope.text(), d.device_id.text(), d.registration_id.text(), d.enrollment_id.bytes(),
           d.operation_id.bytes(), std::string_view("provisioned"), std::string_view("none"), ByteView(d.ek_name),
           ByteView(d.srk_name), d.assigned_hub, ByteView(d.sealed_hub_key), to_micros(d.created_at),
           to_micros(d.updated_at));
  step(device_);
  audit(o.scope, opened_entry(o));
}

void BareRegistrations::end(std::uint64_t number) {
  const auto o = sample::operation(number, number);
  bind_all(end_, to_micros(o.created_at), o.scope.text(), o.operation_id.bytes());
  step(end_);
  audit(o.scope, ended_entry(o));
}

void BareRegistrations::audit(const ScopeId& scope, const audit::Entry& entry) {
  const Timestamp now = clock_.now();
  const Uuid id = Uuid::v7(now, entropy_);
  bind_all(audit_, scope.text(), id.bytes(), to_micros(now), entry.actor, entry.action, entry.subject, entry.detail);
  step(audit_);
}

BareRows::BareRows(const std::filesystem::path& path) : connection_(open_raw(path), sqlite3_close) {
  const auto execute = [this](const char* sql) {
    if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      give_up(sqlite3_errmsg(connection_.get()));
  };
  execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096");
  execute("CREATE TABLE bare (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
  constexpr std::string_view kInsert = "INSERT INTO bare VALUES (?, ?)";
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), kInsert.data(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK)
    give_up(sqlite3_errmsg(connection_.get()));
  insert_.reset(statement);
}

void BareRows::run(int rows) {
  sqlite3_exec(connection_.get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  for (int row = 0; row < rows; ++row) {
    Bytes key(32);
    entropy_.fill(key);
    bind_at(insert_.get(), 1, ByteView(key));
    bind_at(insert_.get(), 2, ByteView(value_));
    if (sqlite3_step(insert_.get()) != SQLITE_DONE) give_up(sqlite3_errmsg(connection_.get()));
    sqlite3_reset(insert_.get());
  }
  if (sqlite3_exec(connection_.get(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(sqlite3_errmsg(connection_.get()));
}

PageAndSync::PageAndSync(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) {
  for (int page = 0; page < kPages; ++page)
    run();
}

PageAndSync::~PageAndSync() {
  ::close(descriptor_);
}

void PageAndSync::run() {
  const off_t at = static_cast<off_t>(page_.size()) * (next_++ % kPages);
  if (::pwrite(descriptor_, page_.data(), page_.size(), at) < 0 || ::fdatasync(descriptor_) != 0)
    give_up("cannot sync");
}

}  // namespace warifu::bench

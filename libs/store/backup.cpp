#include "store/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "store/migrations.h"
#include "store/sqlite_connection.h"

namespace warifu::store {
namespace {

namespace fs = std::filesystem;

Error io_error(const fs::path& path, const char* doing, const std::error_code& cause) {
  return {ErrorKind::kUnavailable, "store.io", fmt::format("cannot {}: {}", doing, cause.message()), path.string()};
}

// One step for all pages: a consistent state, for which the writer does not wait.
Status copy_pages(SqliteConnection& source, SqliteConnection& target) {
  sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
  if (backup == nullptr) return target.error(sqlite3_extended_errcode(target.handle()));
  const int stepped = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE) return target.error(stepped);
  if (finished != SQLITE_OK) return target.error(finished);
  return {};
}

Status copy_into(const fs::path& source_path, const fs::path& target_path) {
  TRY(auto source, SqliteConnection::open(source_path, SqliteConnection::Mode::kExisting));
  TRY(auto target, SqliteConnection::open(target_path, SqliteConnection::Mode::kCreate));
  TRY_STATUS(source.execute("PRAGMA busy_timeout = 5000"));
  TRY_STATUS(copy_pages(source, target));
  // Without the log of the original: the copy is this one file.
  return target.execute("PRAGMA journal_mode = DELETE");
}

Status sync_path(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const std::error_code cause(errno, std::generic_category());
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) return io_error(path, "bring the backup to the disk", cause);
  return {};
}

// A name is only taken when what it names is whole and on disk.
Status publish(const fs::path& partial, const fs::path& target) {
  TRY_STATUS(sync_path(partial, 0));
  std::error_code failed;
  fs::rename(partial, target, failed);
  if (failed) return io_error(target, "name the backup", failed);
  const fs::path directory = target.parent_path();
  return sync_path(directory.empty() ? "." : directory, O_DIRECTORY);
}

Status check_integrity(Connection& connection) {
  TRY(auto query, connection.prepare("PRAGMA integrity_check(1)"));
  TRY_STATUS(query.step());
  TRY(const auto finding, query.row().next<std::string>());
  if (finding == "ok") return {};
  return Error{ErrorKind::kInternal, "store.corrupt", fmt::format("the database is damaged: {}", finding)};
}

Status check_references(Connection& connection) {
  TRY(auto query, connection.prepare("PRAGMA foreign_key_check"));
  TRY(const bool found, query.step());
  if (!found) return {};
  TRY(const auto table, query.row().next<std::string>());
  return Error{ErrorKind::kInternal, "store.corrupt",
               fmt::format("a row of {} belongs to a scope that is not there", table)};
}

}  // namespace

Status backup_database(const fs::path& source, const fs::path& target) {
  std::error_code ignored;
  if (fs::exists(target, ignored))
    return Error{ErrorKind::kConflict, "backup.exists", "the file exists: name another", target.string()};
  fs::path partial = target;
  partial += ".partial";
  fs::remove(partial, ignored);
  Status done = copy_into(source, partial);
  if (done) done = publish(partial, target);
  if (!done) fs::remove(partial, ignored);
  return done;
}

Status check_database(const fs::path& path) {
  TRY(auto connection, SqliteConnection::open(path, SqliteConnection::Mode::kExisting));
  TRY_STATUS(connection.execute("PRAGMA busy_timeout = 5000"));
  TRY_STATUS(check_integrity(connection));
  TRY_STATUS(check_schema(connection, sqlite_schema(), sqlite_migrations()));
  return check_references(connection);
}

}  // namespace warifu::store

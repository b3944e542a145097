#include "store/sqlite_connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

namespace warifu::store {
namespace {

struct Meaning {
  ErrorKind kind;
  std::string_view code;
  std::string_view advice;
};

Meaning meaning_of(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {ErrorKind::kConflict, "store.unique", "it is stored already"};
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return {ErrorKind::kConflict, "store.reference", "what it belongs to is not stored"};
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorKind::kUnavailable, "store.full", "the disk has no room for the database"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::kUnavailable, "store.busy", "another process is writing to the database"};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
      return {ErrorKind::kUnavailable, "store.io", "the database's files cannot be read or written"};
    case SQLITE_NOMEM:
      return {ErrorKind::kUnavailable, "store.memory", "no memory is left for the database"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorKind::kInternal, "store.corrupt", "the database is damaged: restore a backup"};
    default:
      return {ErrorKind::kInternal, "store.sql", "the database refused a statement"};
  }
}

Error error_of(sqlite3* connection, int code) {
  const Meaning meaning = meaning_of(code);
  // errmsg tells of the last call; a code that came from elsewhere has its own words.
  const char* detail = connection != nullptr && sqlite3_extended_errcode(connection) == code
                           ? sqlite3_errmsg(connection)
                           : sqlite3_errstr(code);
  return {meaning.kind, meaning.code, fmt::format("{} (SQLite {}: {})", meaning.advice, code, detail)};
}

// SQLite would let everyone read what it makes. Only a new file is touched: closing a descriptor of one that is in use
// would drop the locks that SQLite holds on it. Errors are left to SQLite, which meets them too.
void make_private(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) ::close(descriptor);
}

}  // namespace

Error Row::corrupt(std::string_view what) const {
  return {ErrorKind::kInternal, "store.corrupt", fmt::format("the database holds what was never written: {}", what),
          fmt::format("column {}", sqlite3_column_name(statement_, column_ - 1))};
}

Result<std::int64_t> Row::integer() {
  const int column = column_++;
  if (sqlite3_column_type(statement_, column) != SQLITE_INTEGER) return corrupt("not an integer");
  return std::int64_t{sqlite3_column_int64(statement_, column)};
}

Result<std::string_view> Row::text() {
  const int column = column_++;
  if (sqlite3_column_type(statement_, column) != SQLITE_TEXT) return corrupt("not a text");
  const ByteView bytes(sqlite3_column_text(statement_, column),
                       static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  return as_text(bytes);
}

Result<ByteView> Row::blob() {
  const int column = column_++;
  if (sqlite3_column_type(statement_, column) != SQLITE_BLOB) return corrupt("not bytes");
  return ByteView(static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column)),
                  static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

bool Row::skip_null() {
  if (sqlite3_column_type(statement_, column_) != SQLITE_NULL) return false;
  ++column_;
  return true;
}

Query::~Query() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
}

std::size_t Query::parameter_count() const {
  return static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_));
}

void Query::bind_next(std::int64_t value) {
  note(sqlite3_bind_int64(statement_, ++parameter_, value));
}

void Query::bind_next(std::string_view text) {
  note(sqlite3_bind_text64(statement_, ++parameter_, text.data() == nullptr ? "" : text.data(), text.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
}

void Query::bind_next(ByteView bytes) {
  // A null pointer would be bound as NULL, and no bytes are not NULL.
  static constexpr std::uint8_t kNothing = 0;
  note(sqlite3_bind_blob64(statement_, ++parameter_, bytes.empty() ? &kNothing : bytes.data(), bytes.size(),
                           SQLITE_STATIC));
}

void Query::bind_null() {
  note(sqlite3_bind_null(statement_, ++parameter_));
}

Result<bool> Query::step() {
  const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(connection_, code);
}

Status Query::run() {
  TRY([[maybe_unused]] const bool row, step());
  assert(!row);
  return {};
}

void Connection::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

void Connection::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<Connection> Connection::open(const std::filesystem::path& path, Mode mode, const std::string& vfs) {
  // NOMUTEX: a connection is used by one thread at a time.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  if (mode == Mode::kCreate && vfs.empty()) make_private(path);
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, vfs.empty() ? nullptr : vfs.c_str());
  Connection connection(opened);
  if (code == SQLITE_OK) return connection;
  Error error = error_of(opened, code);
  error.where = path.string();
  return error;
}

Error Connection::error(int code) const {
  return error_of(connection_.get(), code);
}

Status Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<Query> Connection::prepare(Sql sql) {
  auto& statement = statements_[sql.text()];
  if (!statement) {
    sqlite3_stmt* prepared = nullptr;
    const int code =
        sqlite3_prepare_v3(connection_.get(), sql.text(), -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (code != SQLITE_OK) return error(code);
    statement.reset(prepared);
  }
  assert(sqlite3_stmt_busy(statement.get()) == 0);
  return Query(connection_.get(), statement.get());
}

Status Connection::run(Sql sql) {
  TRY(auto query, prepare(sql));
  return query.run();
}

Result<std::int64_t> Connection::integer(Sql sql) {
  TRY(auto query, prepare(sql));
  TRY(const bool found, query.step());
  if (!found) return Error{ErrorKind::kInternal, "store.sql", "a row was expected, none came", sql.text()};
  return query.row().next<std::int64_t>();
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(connection_.get());
}

std::int64_t Connection::total_changes() const {
  return sqlite3_total_changes64(connection_.get());
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

}  // namespace warifu::store

#include "store/sqlite_connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

namespace warifu::store {
namespace {

struct ResultCodeMeaning {
  ErrorKind kind;
  std::string_view code;
  std::string_view advice;
};

ResultCodeMeaning meaning_of(int code) {
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
  const ResultCodeMeaning meaning = meaning_of(code);
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

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() override { sqlite3_finalize(statement_); }

  std::size_t parameter_count() const override {
    return static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_));
  }
  void bind_integer(std::size_t parameter, std::int64_t value) override {
    note(sqlite3_bind_int64(statement_, place(parameter), value));
  }
  void bind_text(std::size_t parameter, std::string_view text) override {
    note(sqlite3_bind_text64(statement_, place(parameter), text.data() == nullptr ? "" : text.data(), text.size(),
                             SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_blob(std::size_t parameter, ByteView bytes) override {
    // A null pointer would be bound as NULL, and no bytes are not NULL.
    static constexpr std::uint8_t kNothing = 0;
    note(sqlite3_bind_blob64(statement_, place(parameter), bytes.empty() ? &kNothing : bytes.data(), bytes.size(),
                             SQLITE_STATIC));
  }
  void bind_null(std::size_t parameter) override { note(sqlite3_bind_null(statement_, place(parameter))); }

  Result<bool> step() override {
    const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return error_of(connection_, code);
  }
  void reset() override {
    sqlite3_reset(statement_);
    bind_error_ = SQLITE_OK;
  }

  std::optional<std::int64_t> integer(std::size_t column) const override {
    if (type(column) != SQLITE_INTEGER) return std::nullopt;
    return sqlite3_column_int64(statement_, at(column));
  }
  std::optional<std::string_view> text(std::size_t column) const override {
    if (type(column) != SQLITE_TEXT) return std::nullopt;
    return as_text(ByteView(sqlite3_column_text(statement_, at(column)), size(column)));
  }
  std::optional<ByteView> blob(std::size_t column) const override {
    if (type(column) != SQLITE_BLOB) return std::nullopt;
    return ByteView(static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, at(column))), size(column));
  }
  bool is_null(std::size_t column) const override { return type(column) == SQLITE_NULL; }
  std::string column_name(std::size_t column) const override {
    const char* name = sqlite3_column_name(statement_, at(column));
    return name == nullptr ? "" : name;
  }

 private:
  static int place(std::size_t parameter) { return static_cast<int>(parameter) + 1; }
  static int at(std::size_t column) { return static_cast<int>(column); }
  int type(std::size_t column) const { return sqlite3_column_type(statement_, at(column)); }
  std::size_t size(std::size_t column) const {
    return static_cast<std::size_t>(sqlite3_column_bytes(statement_, at(column)));
  }
  void note(int code) {
    if (bind_error_ == SQLITE_OK) bind_error_ = code;
  }

  sqlite3* connection_;
  sqlite3_stmt* statement_;
  int bind_error_ = SQLITE_OK;  // the first one: step() tells it
};

}  // namespace

void SqliteConnection::Close::operator()(sqlite3* connection) const {
  // Its statements may still be there, and keep it until they go.
  sqlite3_close_v2(connection);
}

Result<SqliteConnection> SqliteConnection::open(const std::filesystem::path& path, Mode mode, const std::string& vfs) {
  // NOMUTEX: a connection is used by one thread at a time.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  if (mode == Mode::kCreate && vfs.empty()) make_private(path);
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, vfs.empty() ? nullptr : vfs.c_str());
  SqliteConnection connection(opened);
  if (code == SQLITE_OK) return connection;
  Error error = error_of(opened, code);
  error.where = path.string();
  return error;
}

Error SqliteConnection::error(int code) const {
  return error_of(connection_.get(), code);
}

Status SqliteConnection::execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<std::unique_ptr<Statement>> SqliteConnection::make_statement(const char* sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return error(code);
  return std::make_unique<SqliteStatement>(connection_.get(), prepared);
}

std::int64_t SqliteConnection::changes() const {
  return sqlite3_changes64(connection_.get());
}

std::int64_t SqliteConnection::total_changes() const {
  return sqlite3_total_changes64(connection_.get());
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

}  // namespace warifu::store

#pragma once

#include <cassert>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace warifu::store {

// The text of one statement. Only a constant will do, because a connection knows its prepared statements by their
// address.
class Sql {
 public:
  template <std::size_t kSize>
  consteval Sql(const char (&text)[kSize]) : text_(text) {}
  const char* text() const { return text_; }

 private:
  const char* text_;
};

// The row on which a query stands, read column by column from the left. What is not of the type that the schema
// promises, or not what its type's parse() takes, is kInternal "store.corrupt".
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  template <class T>
  Result<T> next();

 private:
  Result<std::int64_t> integer();
  Result<std::string_view> text();
  Result<ByteView> blob();
  // True, and past it, if the column is NULL.
  bool skip_null();
  Error corrupt(std::string_view what) const;

  template <class T>
  struct Column;

  sqlite3_stmt* statement_;
  int column_ = 0;
};

// A prepared statement on loan from its connection, one at a time. It reads what is bound in place: that must outlive
// the query.
class Query {
 public:
  Query(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}
  Query(Query&& other) noexcept
      : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  // Binds every parameter, in order.
  template <class... Values>
  void bind(const Values&... values) {
    assert(sizeof...(values) == parameter_count());
    (bind_next(values), ...);
  }
  // True: a row stands ready. False: done.
  Result<bool> step();
  // For a statement that gives no rows.
  Status run();
  Row row() const { return Row(statement_); }

 private:
  std::size_t parameter_count() const;
  void bind_next(std::int64_t value);
  void bind_next(bool value) { bind_next(std::int64_t{value}); }
  void bind_next(std::string_view text);
  void bind_next(const std::string& text) { bind_next(std::string_view(text)); }
  void bind_next(ByteView bytes);
  void bind_next(const Bytes& bytes) { bind_next(ByteView(bytes)); }
  void bind_next(const Uuid& id) { bind_next(id.bytes()); }
  void bind_next(Timestamp time) { bind_next(to_micros(time)); }
  template <class Kind>
  void bind_next(const TextId<Kind>& id) {
    bind_next(std::string_view(id.text()));
  }
  template <class T>
  void bind_next(const std::optional<T>& value) {
    value ? bind_next(*value) : bind_null();
  }
  void bind_null();
  void note(int code) {
    if (bind_error_ == 0) bind_error_ = code;
  }

  sqlite3* connection_;
  sqlite3_stmt* statement_;
  int parameter_ = 0;
  int bind_error_ = 0;  // the first one: step() tells it
};

// One connection to an SQLite database, for one thread at a time.
//
// Errors: kUnavailable "store.full" (disk or quota), "store.io", "store.busy" (another process held the lock for too
// long), "store.memory"; kConflict "store.unique", "store.reference"; kInternal "store.corrupt", "store.sql".
class Connection {
 public:
  enum class Mode { kCreate, kExisting };
  // An empty `vfs` means the operating system's files; what is made there is for its owner alone.
  static Result<Connection> open(const std::filesystem::path& path, Mode mode, const std::string& vfs = {});

  // Any number of statements without parameters; rows are dropped.
  Status execute(const std::string& sql);
  // Prepared at its first use.
  Result<Query> prepare(Sql sql);
  // A statement that takes no parameters and gives no rows.
  Status run(Sql sql);
  // The first column of the first row, an integer.
  Result<std::int64_t> integer(Sql sql);

  // How many rows the last statement inserted, changed or deleted; and all since the connection was opened.
  std::int64_t changes() const;
  std::int64_t total_changes() const;
  // False also after SQLite gave up a transaction by itself, as it does when the disk is full.
  bool in_transaction() const;

  sqlite3* handle() const { return connection_.get(); }
  Error error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Connection(sqlite3* connection) : connection_(connection) {}

  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

// --- Row::next() ---------------------------------------------------------------------------------------------------

template <class T>
struct Row::Column {  // what parses itself from text: TextId
  static Result<T> read(Row& row) {
    TRY(const auto text, row.text());
    auto parsed = T::parse(text);
    if (!parsed) return row.corrupt(parsed.error().message);
    return parsed;
  }
};
template <>
struct Row::Column<std::int64_t> {
  static Result<std::int64_t> read(Row& row) { return row.integer(); }
};
template <>
struct Row::Column<bool> {
  static Result<bool> read(Row& row) {
    TRY(const auto value, row.integer());
    return value != 0;
  }
};
template <>
struct Row::Column<Timestamp> {
  static Result<Timestamp> read(Row& row) {
    TRY(const auto micros, row.integer());
    return from_micros(micros);
  }
};
template <>
struct Row::Column<std::string> {
  static Result<std::string> read(Row& row) {
    TRY(const auto text, row.text());
    return std::string(text);
  }
};
template <>
struct Row::Column<Bytes> {
  static Result<Bytes> read(Row& row) {
    TRY(const auto bytes, row.blob());
    return to_bytes(bytes);
  }
};
template <>
struct Row::Column<Uuid> {
  static Result<Uuid> read(Row& row) {
    TRY(const auto bytes, row.blob());
    auto id = Uuid::from_bytes(bytes);
    if (!id) return row.corrupt(id.error().message);
    return id;
  }
};
template <class T>
struct Row::Column<std::optional<T>> {
  static Result<std::optional<T>> read(Row& row) {
    if (row.skip_null()) return std::optional<T>();
    TRY(auto value, Column<T>::read(row));
    return std::optional<T>(std::move(value));
  }
};

template <class T>
Result<T> Row::next() {
  return Column<T>::read(*this);
}

}  // namespace warifu::store

#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

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

// One prepared statement of a database, as its driver knows it. Parameters and columns count from 0. What is bound is
// read in place: it must stay until reset(). Of the values of a row, text and bytes stay until the next step().
class Statement {
 public:
  virtual ~Statement() = default;

  virtual std::size_t parameter_count() const = 0;
  virtual void bind_integer(std::size_t parameter, std::int64_t value) = 0;
  virtual void bind_text(std::size_t parameter, std::string_view text) = 0;
  virtual void bind_blob(std::size_t parameter, ByteView bytes) = 0;
  virtual void bind_null(std::size_t parameter) = 0;

  // True: a row stands ready. False: done. An error in a parameter is told here too.
  virtual Result<bool> step() = 0;
  virtual void reset() = 0;

  // Nothing, if the column is not of that type.
  virtual std::optional<std::int64_t> integer(std::size_t column) const = 0;
  virtual std::optional<std::string_view> text(std::size_t column) const = 0;
  virtual std::optional<ByteView> blob(std::size_t column) const = 0;
  virtual bool is_null(std::size_t column) const = 0;
  virtual std::string column_name(std::size_t column) const = 0;
};

// The row on which a query stands, read column by column from the left. What is not of the type that the schema
// promises, or not what its type's parse() takes, is kInternal "store.corrupt".
class Row {
 public:
  explicit Row(const Statement& statement) : statement_(&statement) {}

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

  const Statement* statement_;
  std::size_t column_ = 0;
};

class Connection;

// A prepared statement on loan from its connection, one at a time. It reads what is bound in place: that must outlive
// the query.
class Query {
 public:
  Query(Connection& connection, Statement& statement) : connection_(&connection), statement_(&statement) {}
  Query(Query&& other) noexcept
      : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (statement_ != nullptr) statement_->reset();
  }

  // Binds every parameter, in order.
  template <class... Values>
  void bind(const Values&... values) {
    assert(sizeof...(values) == statement_->parameter_count());
    (bind_next(values), ...);
  }
  // True: a row stands ready. False: done.
  Result<bool> step();
  // For a statement that gives no rows.
  Status run();
  Row row() const { return Row(*statement_); }

 private:
  void bind_next(std::int64_t value) { statement_->bind_integer(parameter_++, value); }
  void bind_next(bool value) { bind_next(std::int64_t{value}); }
  void bind_next(std::string_view text) { statement_->bind_text(parameter_++, text); }
  void bind_next(const std::string& text) { bind_next(std::string_view(text)); }
  void bind_next(ByteView bytes) { statement_->bind_blob(parameter_++, bytes); }
  void bind_next(const Bytes& bytes) { bind_next(ByteView(bytes)); }
  void bind_next(const Uuid& id) { bind_next(id.bytes()); }
  void bind_next(Timestamp time) { bind_next(to_micros(time)); }
  template <class Kind>
  void bind_next(const TextId<Kind>& id) {
    bind_next(std::string_view(id.text()));
  }
  template <class T>
  void bind_next(const std::optional<T>& value) {
    value ? bind_next(*value) : statement_->bind_null(parameter_++);
  }

  Connection* connection_;
  Statement* statement_;
  std::size_t parameter_ = 0;
};

// One connection to a database, for one thread at a time. The text of a statement is the same for every database: the
// portable subset that scripts/check-sql holds, with `?` for each parameter, integers of 64 bits, booleans as 0 and 1.
//
// Errors: kUnavailable "store.full" (disk or quota), "store.io", "store.busy" (another held the lock for too long),
// "store.memory", "store.unavailable" (the server is away); kConflict "store.unique", "store.reference"; kInternal
// "store.corrupt", "store.sql". What else a database has to say is documented at its driver.
class Connection {
 public:
  virtual ~Connection() = default;

  // Any number of statements without parameters; rows are dropped.
  virtual Status execute(const std::string& sql) = 0;
  // Prepared at its first use.
  Result<Query> prepare(Sql sql);
  // A statement that takes no parameters and gives no rows.
  Status run(Sql sql);
  // The first column of the first row, an integer.
  Result<std::int64_t> integer(Sql sql);

  // How many rows the last statement inserted, changed or deleted; and all since the connection was opened.
  virtual std::int64_t changes() const = 0;
  virtual std::int64_t total_changes() const = 0;
  // False also after a database gave up a transaction by itself, as SQLite does when the disk is full.
  virtual bool in_transaction() const = 0;

  // Whether a query failed since the last forget_failure(). After that a transaction can only be undone: some databases
  // take no further statement in it, so none is asked to.
  bool has_failed() const { return has_failed_; }
  void forget_failure() { has_failed_ = false; }

 protected:
  Connection() = default;
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  virtual Result<std::unique_ptr<Statement>> make_statement(const char* sql) = 0;
  // For a connection that begins anew: its statements are gone.
  void forget_statements() { statements_.clear(); }

 private:
  friend class Query;
  std::unordered_map<const char*, std::unique_ptr<Statement>> statements_;
  bool has_failed_ = false;
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

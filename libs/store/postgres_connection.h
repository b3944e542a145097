#pragma once

#include <memory>
#include <span>
#include <string>

#include "store/connection.h"

struct pg_conn;
struct pg_result;

namespace warifu::store {

struct ClearPgResult {
  void operator()(pg_result* result) const;
};
using PgResult = std::unique_ptr<pg_result, ClearPgResult>;

// How a connection to a PostgreSQL server is opened.
struct PostgresTarget {
  // A connection URI of libpq (postgresql://…). It may hold a password, so no error and no log line repeats it.
  std::string url;
  // For tests: also a server that may lose what it said was committed.
  bool allow_unsafe_server = false;
  // For changes: a scan of a whole table, which a server prefers while it is small, would conflict with every other
  // change.
  bool by_index_only = false;
  // A COMMIT need not wait for the disk: for what may be lost.
  bool loose = false;
};

// A connection to a PostgreSQL server, or to one that speaks like it. Values cross the wire in binary form. A statement
// is prepared once; BEGIN travels with the first statement of its transaction.
//
// Errors beside those of Connection: kUnavailable "store.retry", a transaction that the server gave up in favour of
// another.
class PostgresConnection final : public Connection {
 public:
  // kInvalidInput "config.database": not a connection URI. kUnavailable "store.unavailable", with what the server or
  // libpq said; kRefused "store.unsafe": a server whose fsync or synchronous_commit is off, or that is not in UTF-8.
  static Result<std::unique_ptr<PostgresConnection>> open(const PostgresTarget& target);
  ~PostgresConnection() override;
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Another connection to the same target takes the place of this one.
  Status reopen();
  // True: nothing can be asked of it any more.
  bool is_broken() const;
  // The same, and whether the server has hung up since it was used last.
  bool was_left() const;

  // The transaction begins with the next statement, by this text.
  void begin(const char* sql) {
    pending_begin_ = sql;
    failure_ = Failure::kNone;
  }
  // Ends it durably. After an error, failure() tells whether the outcome is known.
  Status commit();
  // Ends a transaction that only read; the answer is not waited for.
  void end_read() { end_later("COMMIT"); }
  void rollback();

  // What the last error since begin() was about.
  enum class Failure {
    kNone,
    kOther,
    kUnique,  // perhaps what a concurrent transaction wrote
    kRetry,   // the whole transaction may be tried again
    kBroken,  // the connection is gone; what was not sent yet did not happen
  };
  Failure failure() const { return failure_; }

  Status execute(const std::string& sql) override;
  std::int64_t changes() const override { return changes_; }
  std::int64_t total_changes() const override { return total_changes_; }
  bool in_transaction() const override;

 private:
  friend class PostgresStatement;

  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  explicit PostgresConnection(PostgresTarget target) : target_(std::move(target)) {}

  Status connect();
  Status check_server();
  Result<std::unique_ptr<Statement>> make_statement(const char* sql) override;
  // Sends a pending BEGIN, what `send` sends (`commands` of them) and a sync; gives the result of the last.
  template <class Send>
  Result<PgResult> round_trip(int commands, Send send);
  Result<PgResult> collect(int commands);
  Status drain();
  void end_later(const char* sql);
  void count(const pg_result* result);
  Error error_of(const pg_result* result);
  Error broken();

  const PostgresTarget target_;
  std::unique_ptr<pg_conn, Finish> connection_;
  const char* pending_begin_ = nullptr;
  bool has_unread_end_ = false;  // an end_later() whose answer is still to be read
  bool is_gone_ = false;
  Failure failure_ = Failure::kNone;
  std::int64_t changes_ = 0;
  std::int64_t total_changes_ = 0;
  std::uint64_t statements_made_ = 0;
};

}  // namespace warifu::store

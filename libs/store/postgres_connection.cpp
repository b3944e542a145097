#include "store/postgres_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <charconv>
#include <cstring>
#include <tuple>

#include "store/postgres_errors.h"
#include "store/postgres_exchange.h"
#include "store/postgres_statement.h"

namespace warifu::store {
namespace {

// A server or a network that goes silent must not hold a thread for ever. Milliseconds.
constexpr const char* kSessionSettings =
    "SET statement_timeout = 30000; SET lock_timeout = 10000; SET idle_in_transaction_session_timeout = 60000";
constexpr const char* kIndexSettings = "SET enable_seqscan = off";
constexpr const char* kLooseSettings = "SET synchronous_commit = off";
constexpr const char* kSavepoint = "SAVEPOINT part";
constexpr const char* kRelease = "RELEASE SAVEPOINT part";
constexpr const char* kUndo = "ROLLBACK TO SAVEPOINT part";
constexpr Sql kServerSettings =
    "SELECT current_setting('server_encoding', true), current_setting('fsync', true), "
    "current_setting('synchronous_commit', true)";

// What a URL may say otherwise comes before it, the rest after it. Seconds, but for tcp_user_timeout.
constexpr const char* kKeywords[] = {"connect_timeout", "tcp_user_timeout", "fallback_application_name",
                                     "dbname",          "client_encoding",  nullptr};

std::string message_of(const PGconn* connection) {
  std::string message = PQerrorMessage(connection);
  while (!message.empty() && (message.back() == '\n' || message.back() == ' '))
    message.pop_back();
  return message;
}

// libpq repeats parts of what it cannot read, and that may be a password.
bool is_connection_uri(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return false;
  char* message = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(url.c_str(), &message);
  PQfreemem(message);
  PQconninfoFree(parsed);
  return parsed != nullptr;
}

bool is_off(const std::optional<std::string>& setting) {
  return setting == "off";
}

}  // namespace

void ClearPgResult::operator()(pg_result* result) const {
  PQclear(result);
}

void PostgresConnection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PostgresConnection::~PostgresConnection() {
  forget_statements();
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const PostgresTarget& target) {
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(target));
  TRY_STATUS(connection->connect());
  return connection;
}

Status PostgresConnection::reopen() {
  forget_statements();
  connection_.reset();
  return connect();
}

Status PostgresConnection::connect() {
  if (!is_connection_uri(target_.url))
    return invalid_input("config.database",
                         "the database is postgresql://[USER@]HOST[:PORT]/NAME, with libpq's parameters after a ?");
  const char* values[] = {"5", "10000", "warifud", target_.url.c_str(), "UTF8", nullptr};
  connection_.reset(PQconnectdbParams(kKeywords, values, 1));
  pending_begin_ = nullptr;
  pending_.clear();
  has_unread_end_ = false;
  is_gone_ = false;
  forget_failure();
  if (connection_ == nullptr || PQstatus(connection_.get()) != CONNECTION_OK) {
    is_gone_ = true;
    failure_ = Failure::kBroken;
    return Error{ErrorKind::kUnavailable, "store.unavailable",
                 fmt::format("the database server cannot be reached: {}", message_of(connection_.get()))};
  }
  // What the server has to remark is no output of ours.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  if (PQenterPipelineMode(connection_.get()) != 1) return broken();
  TRY_STATUS(execute(kSessionSettings));
  TRY_STATUS(check_server());
  // Only advice: a server that knows no such setting goes on without it.
  if (target_.by_index_only) std::ignore = execute(kIndexSettings);
  return target_.loose ? execute(kLooseSettings) : Status();
}

// A setting that the server does not know is none that it could have switched off.
Status PostgresConnection::check_server() {
  const auto refuse = [](std::string message) {
    return Error{ErrorKind::kRefused, "store.unsafe", std::move(message)};
  };
  TRY(auto query, prepare(kServerSettings));
  TRY_STATUS(query.step());
  Row row = query.row();
  TRY(const auto encoding, row.next<std::optional<std::string>>());
  TRY(const auto fsync, row.next<std::optional<std::string>>());
  TRY(const auto synchronous, row.next<std::optional<std::string>>());
  if (encoding && *encoding != "UTF8")
    return refuse(fmt::format("the database has the encoding {}: make one with ENCODING 'UTF8'", *encoding));
  if (target_.allow_unsafe_server) return {};
  if (is_off(fsync)) return refuse("the database server has fsync = off: a power cut would destroy the database");
  if (is_off(synchronous))
    return refuse(
        "the database server has synchronous_commit = off for this user: a power cut would lose what was answered");
  return {};
}

bool PostgresConnection::is_broken() const {
  return is_gone_ || connection_ == nullptr || PQstatus(connection_.get()) != CONNECTION_OK;
}

bool PostgresConnection::was_left() const {
  if (is_broken()) return true;
  struct pollfd socket = {PQsocket(connection_.get()), POLLRDHUP, 0};
  return ::poll(&socket, 1, 0) > 0;
}

Error PostgresConnection::broken() {
  is_gone_ = true;
  failure_ = Failure::kBroken;
  return {ErrorKind::kUnavailable, "store.unavailable",
          fmt::format("the connection to the database was lost: {}", message_of(connection_.get()))};
}

Error PostgresConnection::error_of(const pg_result* result) {
  const auto field = [&](int code) -> std::string_view {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? "" : text;
  };
  const std::string_view sqlstate = field(PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) return broken();
  const bool is_fatal = field(PG_DIAG_SEVERITY_NONLOCALIZED) != "ERROR";
  if (is_fatal) is_gone_ = true;
  // What comes after the first error is only that the transaction takes no further statement.
  if (is_fatal || failure_ == Failure::kNone)
    failure_ = is_fatal                                     ? Failure::kBroken
               : sqlstate == "40001" || sqlstate == "40P01" ? Failure::kRetry
               : sqlstate == "23505"                        ? Failure::kUnique
                                                            : Failure::kOther;
  return postgres_error(sqlstate, field(PG_DIAG_MESSAGE_PRIMARY));
}

// The first error counts: what comes after it up to the sync was not run.
Result<PgResult> PostgresConnection::collect(int commands) {
  PGconn* connection = connection_.get();
  PgResult last;
  std::optional<Error> error;
  for (int i = 0; i < commands; ++i) {
    PgResult result(PQgetResult(connection));
    if (result == nullptr) return error ? *error : broken();
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      last = std::move(result);
    } else if (status != PGRES_PIPELINE_ABORTED && !error) {
      error = error_of(result.get());
    }
    if (is_broken()) return error ? *error : broken();
    PgResult(PQgetResult(connection)).reset();  // the end of this command
  }
  const PgResult sync(PQgetResult(connection));
  if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) {
    Error lost = broken();
    return error ? *error : lost;
  }
  if (error) return *error;
  return last;
}

Status PostgresConnection::drain() {
  if (is_broken()) return broken();
  if (!has_unread_end_) return {};
  has_unread_end_ = false;
  // Its end can only fail with its connection, and then so does what comes next.
  std::ignore = collect(1);
  return is_broken() ? Status(broken()) : Status();
}

void PostgresConnection::set_savepoint() {
  pending_.push_back(kSavepoint);
  failure_ = Failure::kNone;
}

bool PostgresConnection::drop_unused_savepoint() {
  if (pending_.empty()) return false;
  pending_.pop_back();
  return true;
}

void PostgresConnection::release_savepoint() {
  if (!drop_unused_savepoint()) pending_.push_back(kRelease);
}

// Released too, or a further one of the same name would lie within it.
void PostgresConnection::undo_to_savepoint() {
  if (!drop_unused_savepoint()) pending_.insert(pending_.end(), {kUndo, kRelease});
}

void PostgresConnection::end_later(const char* sql) {
  pending_.clear();
  if (pending_begin_ != nullptr) {  // it never began
    pending_begin_ = nullptr;
    return;
  }
  if (!drain()) return;
  if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
  has_unread_end_ = PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 1) == 1 &&
                    PQpipelineSync(connection_.get()) == 1;
  if (!has_unread_end_) is_gone_ = true;
}

void PostgresConnection::rollback() {
  end_later("ROLLBACK");
  forget_failure();
}

Status PostgresConnection::commit() {
  failure_ = Failure::kNone;
  if (pending_begin_ != nullptr) {  // nothing was asked in it
    pending_begin_ = nullptr;
    pending_.clear();
    return {};
  }
  TRY(const auto ended, round_trip(1, [](PGconn* connection) {
        return PQsendQueryParams(connection, "COMMIT", 0, nullptr, nullptr, nullptr, nullptr, 1) == 1;
      }));
  if (std::strcmp(PQcmdStatus(ended.get()), "COMMIT") == 0) return {};
  failure_ = Failure::kOther;
  return Error{ErrorKind::kInternal, "store.failed", "the database undid a change of which a statement had failed"};
}

Status PostgresConnection::execute(const std::string& sql) {
  TRY_STATUS(drain());
  if (pending_begin_ != nullptr || !pending_.empty()) TRY_STATUS(round_trip(0, [](PGconn*) { return true; }));
  // Several statements in one text are for the simple protocol only.
  if (PQexitPipelineMode(connection_.get()) != 1) return broken();
  const PgResult result(PQexec(connection_.get(), sql.c_str()));
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    Error error = error_of(result.get());
    if (!is_broken() && PQenterPipelineMode(connection_.get()) != 1) is_gone_ = true;
    return error;
  }
  if (PQenterPipelineMode(connection_.get()) != 1) return broken();
  return {};
}

bool PostgresConnection::in_transaction() const {
  if (pending_begin_ != nullptr || !pending_.empty()) return true;
  if (is_broken() || has_unread_end_) return false;
  const auto status = PQtransactionStatus(connection_.get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

Result<std::unique_ptr<Statement>> PostgresConnection::make_statement(const char* sql) {
  const std::string name = fmt::format("s{}", ++statements_made_);
  const std::string numbered = number_parameters(sql);
  TRY(const auto description, round_trip(2, [&](PGconn* connection) {
        return PQsendPrepare(connection, name.c_str(), numbered.c_str(), 0, nullptr) == 1 &&
               PQsendDescribePrepared(connection, name.c_str()) == 1;
      }));
  std::vector<unsigned> types(static_cast<std::size_t>(PQnparams(description.get())));
  for (int i = 0; i < PQnparams(description.get()); ++i)
    types[static_cast<std::size_t>(i)] = PQparamtype(description.get(), i);
  return std::make_unique<PostgresStatement>(*this, name, std::move(types));
}

void PostgresConnection::count(const pg_result* result) {
  changes_ = 0;
  // PQcmdTuples() takes what is not const, and changes nothing.
  auto* mutable_result = const_cast<pg_result*>(result);
  if (std::string_view(PQcmdStatus(mutable_result)).starts_with("SELECT")) return;
  const std::string_view rows = PQcmdTuples(mutable_result);
  std::from_chars(rows.data(), rows.data() + rows.size(), changes_);
  total_changes_ += changes_;
}

}  // namespace warifu::store

#include "store/connection.h"

#include <fmt/format.h>

namespace warifu::store {

Error Row::corrupt(std::string_view what) const {
  return {ErrorKind::kInternal, "store.corrupt", fmt::format("the database holds what was never written: {}", what),
          fmt::format("column {}", statement_->column_name(column_ - 1))};
}

Result<std::int64_t> Row::integer() {
  const auto value = statement_->integer(column_++);
  if (!value) return corrupt("not an integer");
  return *value;
}

Result<std::string_view> Row::text() {
  const auto value = statement_->text(column_++);
  if (!value) return corrupt("not a text");
  return *value;
}

Result<ByteView> Row::blob() {
  const auto value = statement_->blob(column_++);
  if (!value) return corrupt("not bytes");
  return *value;
}

bool Row::skip_null() {
  if (!statement_->is_null(column_)) return false;
  ++column_;
  return true;
}

Result<bool> Query::step() {
  auto stepped = statement_->step();
  if (!stepped) connection_->has_failed_ = true;
  return stepped;
}

Status Query::run() {
  TRY([[maybe_unused]] const bool row, step());
  assert(!row);
  return {};
}

Result<Query> Connection::prepare(Sql sql) {
  auto& statement = statements_[sql.text()];
  if (!statement) {
    auto made = make_statement(sql.text());
    if (!made) {
      has_failed_ = true;
      return made.error();
    }
    statement = *std::move(made);
  }
  return Query(*this, *statement);
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

}  // namespace warifu::store

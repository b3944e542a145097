#pragma once

#include "provisioning/diary.h"
#include "store/connection.h"

namespace warifu::store {

// The diary in SQL. It counts what it wrote, so that a transaction can tell it from what needs an audit entry.
class SqlDiary final : public provisioning::Diary {
 public:
  explicit SqlDiary(Connection& connection) : connection_(connection) {}

  Status add(const provisioning::Attempt& attempt) override;
  Result<std::size_t> purge(const ScopeId& scope, Timestamp before, std::size_t limit) override;
  Result<std::size_t> trim(const ScopeId& scope, bool is_enrolled, std::size_t count) override;

  std::int64_t rows() const { return rows_; }

 private:
  // The row that counts attempts like this one, by its tracking ID.
  Result<std::optional<Uuid>> find_row(const provisioning::Attempt& attempt);
  Status insert(const provisioning::Attempt& attempt);
  Status count_up(const Uuid& row, const provisioning::Attempt& attempt);
  // Runs it, and tells how many rows it changed.
  Result<std::size_t> run(Query& query);

  Connection& connection_;
  std::int64_t rows_ = 0;
};

}  // namespace warifu::store

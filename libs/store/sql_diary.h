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

  std::int64_t rows() const { return rows_; }

 private:
  Connection& connection_;
  std::int64_t rows_ = 0;
};

}  // namespace warifu::store

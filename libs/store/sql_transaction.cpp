#include "store/sql_transaction.h"

#include <exception>

namespace warifu::store {

Status SqlTransaction::run(const std::function<Status(Transaction&)>& apply) try {
  const std::int64_t before = connection_.total_changes();
  connection_.forget_failure();
  TRY_STATUS(apply(*this));
  if (connection_.has_failed())
    return Error{ErrorKind::kInternal, "store.failed", "a change that went on after a statement had failed was undone"};
  const std::int64_t unaudited =
      diary_.rows() + verifier_.unaudited_rows() + webhooks_.unaudited_rows() + application_keys_.unaudited_rows();
  const bool wrote = connection_.total_changes() != before + unaudited;
  if (wrote && audit_.recorded() == 0)
    return Error{ErrorKind::kInternal, "store.unaudited", "a change without an audit entry was undone"};
  return {};
} catch (const std::exception& exception) {
  // A defect in one change must not end the server and with it all others.
  return Error{ErrorKind::kInternal, "store.exception", exception.what()};
}

}  // namespace warifu::store

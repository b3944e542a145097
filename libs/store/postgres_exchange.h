#pragma once

#include <libpq-fe.h>

#include "store/postgres_connection.h"

// What needs libpq's types; only the two files of the driver include it.
namespace warifu::store {

template <class Send>
Result<PgResult> PostgresConnection::round_trip(int commands, Send send) {
  TRY_STATUS(drain());
  PGconn* connection = connection_.get();
  if (pending_begin_ != nullptr) {
    if (PQsendQueryParams(connection, pending_begin_, 0, nullptr, nullptr, nullptr, nullptr, 1) != 1) return broken();
    pending_begin_ = nullptr;
    ++commands;
  }
  if (!send(connection) || PQpipelineSync(connection) != 1) return broken();
  return collect(commands);
}

}  // namespace warifu::store

#pragma once

#include <libpq-fe.h>

#include <utility>

#include "store/postgres_connection.h"

// What needs libpq's types; only the two files of the driver include it.
namespace warifu::store {

template <class Send>
Result<PgResult> PostgresConnection::round_trip(int commands, Send send) {
  TRY_STATUS(drain());
  PGconn* connection = connection_.get();
  const auto send_text = [&](const char* sql) {
    ++commands;
    return PQsendQueryParams(connection, sql, 0, nullptr, nullptr, nullptr, nullptr, 1) == 1;
  };
  if (pending_begin_ != nullptr && !send_text(std::exchange(pending_begin_, nullptr))) return broken();
  for (const char* sql : std::exchange(pending_, {}))
    if (!send_text(sql)) return broken();
  if (!send(connection) || PQpipelineSync(connection) != 1) return broken();
  return collect(commands);
}

}  // namespace warifu::store

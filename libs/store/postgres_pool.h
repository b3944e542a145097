#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "store/postgres_connection.h"

namespace warifu::store {

// Connections that threads take in turn. One that the server has left is opened anew when it is taken next.
class PostgresPool {
 public:
  static Result<std::unique_ptr<PostgresPool>> open(const PostgresTarget& target, std::size_t size);

  // Runs `use` with a connection, on this thread; it may wait for one.
  Status run(const std::function<Status(PostgresConnection&)>& use);

 private:
  PostgresPool() = default;
  PostgresConnection* take();
  void give_back(PostgresConnection* connection);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PostgresConnection>> connections_;
  std::vector<PostgresConnection*> free_;
};

}  // namespace warifu::store

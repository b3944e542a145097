#include "store/postgres_pool.h"

namespace warifu::store {

Result<std::unique_ptr<PostgresPool>> PostgresPool::open(const PostgresTarget& target, std::size_t size) {
  std::unique_ptr<PostgresPool> pool(new PostgresPool());
  for (std::size_t i = 0; i < size; ++i) {
    TRY(auto connection, PostgresConnection::open(target));
    pool->free_.push_back(connection.get());
    pool->connections_.push_back(std::move(connection));
  }
  return pool;
}

PostgresConnection* PostgresPool::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return !free_.empty(); });
  PostgresConnection* taken = free_.back();
  free_.pop_back();
  return taken;
}

void PostgresPool::give_back(PostgresConnection* connection) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(connection);
  }
  returned_.notify_one();
}

Status PostgresPool::run(const std::function<Status(PostgresConnection&)>& use) {
  const auto end = [this](PostgresConnection* connection) { give_back(connection); };
  const std::unique_ptr<PostgresConnection, decltype(end)> connection(take(), end);
  if (connection->was_left()) TRY_STATUS(connection->reopen());
  return use(*connection);
}

}  // namespace warifu::store

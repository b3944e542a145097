#include "net/connection_registry.h"

#include "net/connection.h"

namespace warifu::net {

void ConnectionRegistry::add(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.insert(&connection);
}

void ConnectionRegistry::remove(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(&connection);
  if (connections_.empty()) emptied_.notify_all();
}

// Hands out owners, because the last owner of a connection must not let go of it under the lock. One whose destructor
// has begun has no owner any more.
template <class Predicate>
std::vector<std::shared_ptr<Connection>> ConnectionRegistry::select(Predicate predicate) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> selected;
  for (Connection* connection : connections_) {
    if (!predicate(*connection)) continue;
    if (auto owner = connection->weak_from_this().lock()) selected.push_back(std::move(owner));
  }
  return selected;
}

std::vector<std::shared_ptr<Connection>> ConnectionRegistry::all() const {
  return select([](const Connection&) { return true; });
}

std::vector<std::shared_ptr<Connection>> ConnectionRegistry::expired(std::chrono::steady_clock::time_point now) const {
  return select([now](const Connection& connection) { return connection.deadline() <= now; });
}

bool ConnectionRegistry::wait_until_empty(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, timeout, [this] { return connections_.empty(); });
}

}  // namespace warifu::net

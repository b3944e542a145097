#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace warifu::net {

class Connection;

// The connections that are alive. Thread-safe.
class ConnectionRegistry {
 public:
  void add(Connection& connection);
  void remove(Connection& connection);

  std::vector<std::shared_ptr<Connection>> all() const;
  // Those whose deadline has passed.
  std::vector<std::shared_ptr<Connection>> expired(std::chrono::steady_clock::time_point now) const;

  // False if some are left after `timeout`.
  bool wait_until_empty(std::chrono::milliseconds timeout) const;

 private:
  template <class Predicate>
  std::vector<std::shared_ptr<Connection>> select(Predicate predicate) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::unordered_set<Connection*> connections_;
};

}  // namespace warifu::net

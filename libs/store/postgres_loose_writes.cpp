#include "store/postgres_loose_writes.h"

#include <tuple>
#include <utility>

namespace warifu::store {
namespace {

constexpr std::size_t kConnections = 3;
constexpr std::size_t kWaitingMax = 10'000;

}  // namespace

Result<std::unique_ptr<PostgresLooseWrites>> PostgresLooseWrites::open(PostgresTarget target) {
  target.loose = true;
  TRY(auto pool, PostgresPool::open(target, kConnections));
  return std::unique_ptr<PostgresLooseWrites>(new PostgresLooseWrites(std::move(pool)));
}

PostgresLooseWrites::PostgresLooseWrites(std::unique_ptr<PostgresPool> pool)
    : pool_(std::move(pool)), thread_([this] { work(); }) {
}

PostgresLooseWrites::~PostgresLooseWrites() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  posted_.notify_one();
  thread_.join();
}

Status PostgresLooseWrites::run(const Write& write) {
  return pool_->run([&](PostgresConnection& connection) { return write(connection); });
}

void PostgresLooseWrites::post(Write write) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kWaitingMax) return;
    queue_.push_back(std::move(write));
  }
  posted_.notify_one();
}

void PostgresLooseWrites::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    posted_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Write write = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    std::ignore = run(write);
    lock.lock();
  }
}

}  // namespace warifu::store

#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "store/loose_writes.h"
#include "store/postgres_pool.h"

namespace warifu::store {

class PostgresLooseWrites final : public LooseWrites {
 public:
  static Result<std::unique_ptr<PostgresLooseWrites>> open(PostgresTarget target);
  // What was posted is tried before this returns.
  ~PostgresLooseWrites() override;

  Status run(const Write& write) override;
  void post(Write write) override;

 private:
  explicit PostgresLooseWrites(std::unique_ptr<PostgresPool> pool);
  void work();

  std::unique_ptr<PostgresPool> pool_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Write> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace warifu::store

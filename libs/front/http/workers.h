#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace warifu::front {

// Threads for answers that wait for another program: the threads that read and write connections must not. Its queue
// has an end, so that a program that hangs costs those who need it an error, and nobody else anything.
class Workers {
 public:
  static constexpr std::size_t kQueueMax = 512;

  explicit Workers(std::size_t threads);
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False when the queue is full, or stop() was called: `work` will not run.
  bool post(std::function<void()> work);
  // Finishes what is queued, and waits for it.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace warifu::front

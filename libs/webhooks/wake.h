#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace warifu::webhooks {

// Tells one who waits that there is something to do. What comes while nobody waits is remembered. Safe to use from
// several threads.
class Wake {
 public:
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      is_woken_ = true;
    }
    changed_.notify_one();
  }
  // Until somebody wakes, or for so long.
  void wait_for(std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, longest, [&] { return is_woken_; });
    is_woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_woken_ = false;
};

}  // namespace warifu::webhooks

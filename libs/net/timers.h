#pragma once

#include <chrono>
#include <functional>

namespace warifu::net {

// For periodic housekeeping: what runs calls post_after again.
class Timers {
 public:
  virtual ~Timers() = default;
  // Runs `work` once on an I/O thread, no earlier than `delay` from now; dropped if the server stops before that.
  // Thread-safe. `work` must not block or throw.
  virtual void post_after(std::chrono::milliseconds delay, std::function<void()> work) = 0;
};

}  // namespace warifu::net

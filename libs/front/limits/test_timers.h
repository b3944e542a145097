#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "net/timers.h"

namespace warifu::front::test {

// Timers that run what is due when they are told what time it is.
class ManualTimers final : public net::Timers {
 public:
  void post_after(std::chrono::milliseconds delay, std::function<void()> work) override {
    waiting_.push_back({now_ + delay, std::move(work)});
  }
  // In the order in which it is due.
  void advance(std::chrono::milliseconds step) {
    now_ += step;
    std::ranges::stable_sort(waiting_, {}, &Work::at);
    while (!waiting_.empty() && waiting_.front().at <= now_) {
      const auto run = std::move(waiting_.front().run);
      waiting_.erase(waiting_.begin());
      run();
    }
  }
  // As a server that stops.
  void drop_all() { waiting_.clear(); }
  std::size_t size() const { return waiting_.size(); }

 private:
  struct Work {
    std::chrono::milliseconds at;
    std::function<void()> run;
  };
  std::chrono::milliseconds now_{0};
  std::vector<Work> waiting_;
};

}  // namespace warifu::front::test

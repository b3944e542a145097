#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace warifu::store {

// Lets changes run side by side until one was in the way of another: that one then runs alone. Who wants to be alone
// comes before who does not. Safe to call from several threads.
class ChangeGate {
 public:
  // Inside until the end of the scope.
  class Pass {
   public:
    Pass(ChangeGate& gate, bool is_alone) : gate_(gate), is_alone_(is_alone) { gate_.enter(is_alone_); }
    ~Pass() { gate_.leave(is_alone_); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    ChangeGate& gate_;
    const bool is_alone_;
  };

 private:
  void enter(bool is_alone);
  void leave(bool is_alone);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t inside_ = 0;
  std::size_t want_alone_ = 0;
  bool is_one_alone_ = false;
};

}  // namespace warifu::store

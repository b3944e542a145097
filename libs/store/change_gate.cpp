#include "store/change_gate.h"

namespace warifu::store {

void ChangeGate::enter(bool is_alone) {
  std::unique_lock lock(mutex_);
  if (is_alone) {
    ++want_alone_;
    changed_.wait(lock, [this] { return inside_ == 0; });
    --want_alone_;
    is_one_alone_ = true;
  } else {
    changed_.wait(lock, [this] { return !is_one_alone_ && want_alone_ == 0; });
  }
  ++inside_;
}

void ChangeGate::leave(bool is_alone) {
  {
    const std::lock_guard lock(mutex_);
    --inside_;
    if (is_alone) is_one_alone_ = false;
  }
  changed_.notify_all();
}

}  // namespace warifu::store

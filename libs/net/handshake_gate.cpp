#include "net/handshake_gate.h"

#include <utility>

namespace warifu::net {

HandshakeGate::Turn::Turn(HandshakeGate& gate, std::function<void()> wake) : gate_(gate), wake_(std::move(wake)) {
  const std::lock_guard lock(gate_.mutex_);
  granted_ = gate_.taken_ < gate_.width_;
  if (granted_)
    ++gate_.taken_;
  else
    place_ = gate_.waiting_.insert(gate_.waiting_.end(), this);
}

HandshakeGate::Turn::~Turn() {
  const std::lock_guard lock(gate_.mutex_);
  if (!granted_) {
    gate_.waiting_.erase(place_);
  } else if (gate_.waiting_.empty()) {
    --gate_.taken_;
  } else {
    Turn* next = gate_.waiting_.front();
    gate_.waiting_.pop_front();
    next->granted_ = true;
    next->wake_();  // under the lock: it cannot go meanwhile
  }
}

bool HandshakeGate::Turn::granted() const {
  const std::lock_guard lock(gate_.mutex_);
  return granted_;
}

}  // namespace warifu::net

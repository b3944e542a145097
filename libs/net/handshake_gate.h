#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <mutex>

namespace warifu::net {

// Lets a few handshakes compute at a time; the others wait in the order in which they came. When thousands of devices
// come back at once, each owes us half a millisecond: without the gate all of that would stand in the I/O threads'
// queue before the next request of a device that is connected already. A place is held while OpenSSL computes, never
// while a client is waited for, so that silent clients hold nobody up. Thread-safe.
class HandshakeGate {
 public:
  explicit HandshakeGate(std::size_t width) : width_(width) {}

  // A place, or a place in the queue. Gives it back when it goes.
  class Turn {
   public:
    // `wake` must not block. It is called at most once, from any thread, when a place that was not free at first is.
    Turn(HandshakeGate& gate, std::function<void()> wake);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool granted() const;

   private:
    friend class HandshakeGate;
    HandshakeGate& gate_;
    const std::function<void()> wake_;
    bool granted_ = false;              // guarded by the gate's mutex, like its place in the queue
    std::list<Turn*>::iterator place_;  // while it waits
  };

 private:
  const std::size_t width_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;
  std::list<Turn*> waiting_;
};

}  // namespace warifu::net

#pragma once

#include <initializer_list>
#include <memory>

namespace warifu::net {

// Turns signals into values for the main thread, which may then block: a reload reads files, a drain waits. From the
// constructor to the destructor the signals have no other effect.
class Signals {
 public:
  explicit Signals(std::initializer_list<int> signals);
  ~Signals();

  // Waits for the next one and returns its number. To wake it from inside the process, raise() a signal.
  int wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warifu::net

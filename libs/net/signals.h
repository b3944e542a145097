#pragma once

#include <initializer_list>
#include <memory>

namespace warifu::net {

// Turns signals into values for the main thread, which may then block: a reload reads files, a drain waits. From the
// constructor to the destructor the signals do nothing else, but no thread blocks them: the handler runs on whichever
// thread the kernel picks, only passes the number on, and may end a system call of that thread with EINTR. Construct it
// before what raises them: until then they have their default action, which mostly ends the process.
class Signals {
 public:
  explicit Signals(std::initializer_list<int> signals);
  ~Signals();

  // Waits for the next one and returns its number; those that come while nobody waits are kept. To wake it from inside
  // the process, raise() a signal, on any thread.
  int wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warifu::net

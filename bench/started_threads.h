#pragma once

#include <time.h>

#include <functional>
#include <vector>

namespace warifu::bench {

// The CPU time of the threads that something started: of a server beside its clients in one process. They must still
// run when they are asked.
class StartedThreads {
 public:
  // Adds the threads that `start` starts.
  void run(const std::function<void()>& start);
  double micros() const;  // of all of them together, so far

 private:
  std::vector<clockid_t> clocks_;
};

}  // namespace warifu::bench

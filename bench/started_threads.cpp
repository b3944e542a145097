#include "started_threads.h"

#include <filesystem>
#include <set>
#include <string>

#include "harness.h"

namespace warifu::bench {
namespace {

std::set<int> threads_of_this_process() {
  std::set<int> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    threads.insert(std::stoi(task.path().filename().string()));
  return threads;
}

// Linux's CPU clock of any thread of this process (man clock_gettime: the one of pthread_getcpuclockid).
clockid_t cpu_clock_of(int thread) {
  constexpr int kPerThreadSchedulerClock = 6;
  return static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | kPerThreadSchedulerClock);
}

}  // namespace

void StartedThreads::run(const std::function<void()>& start) {
  const auto before = threads_of_this_process();
  start();
  for (const int thread : threads_of_this_process())
    if (!before.contains(thread)) clocks_.push_back(cpu_clock_of(thread));
}

double StartedThreads::micros() const {
  double sum = 0;
  for (const clockid_t clock : clocks_)
    sum += micros_of(clock);
  return sum;
}

}  // namespace warifu::bench

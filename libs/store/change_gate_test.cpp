#include "store/change_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace warifu::store {
namespace {

TEST(ChangeGate, WhoIsAloneIsAloneAndTheOthersAreNot) {
  ChangeGate gate;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> disturbed = 0;
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (int thread = 0; thread < 6; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const bool is_alone = (i + thread) % 3 == 0;
        const ChangeGate::Pass pass(gate, is_alone);
        const int now = ++inside;
        if (most < now) most = now;
        std::this_thread::yield();
        if (is_alone && inside != 1) ++disturbed;
        --inside;
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(disturbed, 0);
  EXPECT_GT(most, 1);
}

TEST(ChangeGate, WhoWantsToBeAloneIsNotPassedByForEver) {
  ChangeGate gate;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      while (!stop)
        const ChangeGate::Pass pass(gate, false);
    });
  for (int i = 0; i < 100; ++i)
    const ChangeGate::Pass pass(gate, true);
  stop = true;
  for (auto& thread : threads)
    thread.join();
}

}  // namespace
}  // namespace warifu::store

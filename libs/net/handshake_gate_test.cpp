#include "net/handshake_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace warifu::net {
namespace {

using Turn = HandshakeGate::Turn;

TEST(HandshakeGate, LetsAsManyThroughAsItIsWide) {
  HandshakeGate gate(2);
  const auto nothing = [] {};
  auto first = std::make_unique<Turn>(gate, nothing);
  const Turn second(gate, nothing);
  const Turn third(gate, nothing);
  EXPECT_TRUE(first->granted());
  EXPECT_TRUE(second.granted());
  EXPECT_FALSE(third.granted());
  first.reset();
  EXPECT_TRUE(third.granted());
  EXPECT_FALSE(Turn(gate, nothing).granted());
}

TEST(HandshakeGate, WakesTheOthersInTheOrderInWhichTheyCame) {
  HandshakeGate gate(1);
  std::string woken;
  auto first = std::make_unique<Turn>(gate, [&] { woken += "1"; });
  auto second = std::make_unique<Turn>(gate, [&] { woken += "2"; });
  auto third = std::make_unique<Turn>(gate, [&] { woken += "3"; });
  first.reset();
  EXPECT_EQ(woken, "2");
  second.reset();
  EXPECT_EQ(woken, "23");
  third.reset();
  EXPECT_TRUE(Turn(gate, [] {}).granted());
}

TEST(HandshakeGate, ForgetsWhoLeavesTheQueue) {
  HandshakeGate gate(1);
  std::string woken;
  auto first = std::make_unique<Turn>(gate, [&] { woken += "1"; });
  auto impatient = std::make_unique<Turn>(gate, [&] { woken += "2"; });
  const Turn third(gate, [&] { woken += "3"; });
  impatient.reset();
  EXPECT_EQ(woken, "");
  first.reset();
  EXPECT_EQ(woken, "3");
}

TEST(HandshakeGate, NeverLetsMoreThroughFromAnyNumberOfThreads) {
  HandshakeGate gate(2);
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const Turn turn(gate, [] {});
        while (!turn.granted())
          std::this_thread::yield();
        const int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_LE(most, 2);
  EXPECT_TRUE(Turn(gate, [] {}).granted());
}

}  // namespace
}  // namespace warifu::net

#pragma once

#include "base/entropy.h"
#include "base/time.h"

namespace warifu::agent::test {

inline const Timestamp kStart = from_micros(1'700'000'000'000'000);
// The server's clock is ahead.
inline const Timestamp kServerTime = kStart + std::chrono::hours(2);

class TestClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  void advance(std::chrono::milliseconds step) { now_ += step; }

 private:
  Timestamp now_ = kStart;
};

// Numbers that differ: nothing here asks for more.
class TestEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out)
      byte = static_cast<std::uint8_t>((state_ = state_ * 6364136223846793005U + 1442695040888963407U) >> 56);
  }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace warifu::agent::test

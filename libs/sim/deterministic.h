#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/entropy.h"
#include "base/time.h"

namespace warifu::sim {

// A clock that stands still until it is told to move. Safe to use from several threads.
class SteppingClock final : public Clock {
 public:
  explicit SteppingClock(Timestamp start) : micros_(to_micros(start)) {}

  Timestamp now() const override { return from_micros(micros_.load()); }
  void set(Timestamp time) { micros_.store(to_micros(time)); }
  // Backwards too: clocks of real machines do that.
  void advance(std::chrono::microseconds step) { micros_.fetch_add(step.count()); }

 private:
  std::atomic<std::int64_t> micros_;
};

// The same for intervals. Safe to use from several threads.
class SteppingMonotonicClock final : public MonotonicClock {
 public:
  std::chrono::nanoseconds now() const override { return std::chrono::nanoseconds(nanos_.load()); }
  void advance(std::chrono::nanoseconds step) { nanos_.fetch_add(step.count()); }

 private:
  std::atomic<std::int64_t> nanos_ = 0;
};

// The same bytes for the same seed, in the order in which they are asked for: SHA-256 of the seed and a counter. Safe
// to use from several threads; which of them gets which bytes is then up to the scheduler.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : seed_(seed) {}

  void fill(std::span<std::uint8_t> out) override;

 private:
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::uint64_t blocks_ = 0;
  std::array<std::uint8_t, 32> block_{};
  std::size_t unused_ = 0;  // bytes at the end of block_ that nobody got yet
};

}  // namespace warifu::sim

#pragma once

#include <chrono>
#include <optional>

#include "base/entropy.h"
#include "base/result.h"

namespace warifu::agent {

// When to try again. After a power cut in a plant all devices start at once: so each waits for a time of its own.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{2'000};  // the longest first wait
  static constexpr std::chrono::milliseconds kShortest{1'000};
  static constexpr std::chrono::milliseconds kLongest{300'000};    // of what may pass by itself
  static constexpr std::chrono::milliseconds kRefused{3'600'000};  // a person must act first: ± a quarter
  static constexpr std::chrono::seconds kRetryAfterMax{3'600};     // a server cannot silence a device for longer

  explicit Backoff(Entropy& entropy) : entropy_(entropy) {}

  // A random time up to a bound that doubles with each failure ("full jitter"), not before `retry_after`.
  std::chrono::milliseconds next(const Error& error, std::optional<std::chrono::seconds> retry_after);
  // It worked.
  void reset() { failures_ = 0; }
  // A random time within a tenth of `period`, so that a fleet which started together does not come together for ever.
  std::chrono::milliseconds around(std::chrono::milliseconds period);

 private:
  std::chrono::milliseconds random_between(std::chrono::milliseconds low, std::chrono::milliseconds high);

  Entropy& entropy_;
  unsigned failures_ = 0;
};

}  // namespace warifu::agent

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace warifu::signer {

// At most so many in a period: a bucket that begins full and fills again evenly. Whoever takes the server over has that
// many until somebody looks at the journal.
class Budget {
 public:
  Budget(std::uint32_t most, std::chrono::seconds period, const MonotonicClock& clock)
      : most_(most), period_(period), clock_(clock), left_(most), looked_at_(clock.now()) {}

  // Takes one. Otherwise how long until there is one.
  std::optional<std::chrono::seconds> take();

 private:
  double most_;
  std::chrono::seconds period_;
  const MonotonicClock& clock_;
  double left_;
  std::chrono::nanoseconds looked_at_;
};

}  // namespace warifu::signer

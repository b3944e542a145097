#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "front/limits/rate_table.h"
#include "front/metrics.h"
#include "net/timers.h"

namespace warifu::front {

// What a request is counted under.
struct Asking {
  std::string_view peer_address;  // numeric
  std::string_view id = {};       // which device it is about, by its own word; empty: none
  bool makes_challenge = false;   // costs the id more
};

// Lets requests through at the rates of RequestLimits: at once, later, or not at all. A client that waits for each
// answer before it asks again is delayed and never refused, while there are places to wait in. Safe to call from
// several threads. What it is given outlives it.
class Admission {
 public:
  Admission(const RequestLimits& limits, const MonotonicClock& clock, Entropy& entropy, net::Timers& timers,
            Metrics& metrics);
  // The timers have dropped what waits by then.
  ~Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  struct Refused {
    LimitedBy by;
    std::chrono::seconds retry_after;  // by then it would pass, if nobody else asks
  };
  // Runs `go_on` on this thread, or after a delay on one of the timers'. Nullopt, unless it is refused.
  std::optional<Refused> admit(const Asking& asking, std::function<void()> go_on);

 private:
  class Place;
  struct Decision {
    std::optional<Refused> refused = {};
    std::chrono::nanoseconds wait{0};
    std::shared_ptr<Place> place = {};  // if it waits
  };
  Decision decide(const Asking& asking);
  std::shared_ptr<Place> take_place(std::uint64_t address);
  void give_back(std::uint64_t address);

  const RequestLimits limits_;
  const MonotonicClock& clock_;
  net::Timers& timers_;
  Metrics& metrics_;

  std::mutex mutex_;
  RateTable addresses_;
  RateTable registrations_;
  // Of the addresses that have requests waiting.
  std::unordered_map<std::uint64_t, std::size_t> waiting_;
  std::size_t waiting_total_ = 0;
};

}  // namespace warifu::front

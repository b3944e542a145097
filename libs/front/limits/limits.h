#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace warifu::front {

// A token bucket: what may come at once, and how fast it fills again. A request takes one token or more.
struct Rate {
  std::uint32_t per_second;
  std::uint32_t burst;
};

// What one client may ask of one listener before it is delayed, and after that refused.
struct RequestLimits {
  // Of one address (IPv6: one /64). Behind it may be a plant of thousands of devices that come back after an outage all
  // at once: 10,000 connections, the most that a listener holds, times the three requests of a registration pass
  // without a delay. A second of its rate costs about a tenth of a processor, if all are challenges.
  Rate address{1'000, 30'000};
  // Of one registration ID from one address. Azure grants a device 5 polls in 10 seconds, and so do we, four times. The
  // address belongs to it because IDs can be guessed: else a stranger could use up what is the device's.
  Rate registration{2, 60};
  // Tokens of a registration for a request that makes a challenge: 7 at once, then one in 4 seconds. It costs us two
  // encryptions. A TPM answers within 4 seconds.
  std::uint32_t challenge_cost = 8;

  // The longest delay. One challenge must fit: then a client that waits for each answer is slowed down and never sees a
  // 429. Far below the SDKs' time limit of 30 s.
  std::chrono::milliseconds wait_max{5'000};
  // Requests that wait at the same time: half of those that a listener lets be in flight, so that the others go on.
  std::size_t waiting_max = 512;
  // Of these, those of one address.
  std::size_t waiting_per_address_max = 256;

  // Buckets that are remembered, of 16 bytes each: 1 MiB and 2 MiB. Powers of two.
  std::size_t address_slots = std::size_t{1} << 16;
  std::size_t registration_slots = std::size_t{1} << 17;
};

// For the operators' listener, where only who has no valid credential is limited: a person who mistypes, a probe of
// /healthz each second. Who guesses finds no token of 256 bits, but each try costs a line in the log.
inline RequestLimits unauthenticated_limits() {
  RequestLimits limits;
  limits.address = {10, 100};
  limits.wait_max = std::chrono::milliseconds(2'000);
  limits.waiting_max = 128;
  limits.waiting_per_address_max = 16;
  return limits;
}

}  // namespace warifu::front

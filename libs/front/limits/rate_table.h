#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "base/entropy.h"
#include "base/secret.h"
#include "front/limits/limits.h"

namespace warifu::front {

// Token buckets by key, in memory that never grows. A bucket is one number, the time at which it will be full again
// (the theoretical arrival time of the generic cell rate algorithm, ITU-T I.371): so a bucket that is full needs no
// room.
//
// A key may lie in one set of kWays slots only; a keyed hash says in which, so nobody can aim at another's set. In a
// full set the bucket that will be full first makes room. What is forgotten becomes a full bucket: a client can gain a
// burst by it and never lose one. Not safe to use from several threads.
class RateTable {
  struct Slot {
    std::uint64_t key = 0;
    std::chrono::nanoseconds full_at{0};
  };

 public:
  static constexpr std::size_t kWays = 8;

  // `slots` is a power of two, at least kWays.
  RateTable(Rate rate, std::size_t slots, Entropy& entropy);

  // One key's bucket. Good until the next find().
  class Bucket {
   public:
    // How long until `cost` tokens are there; zero: now.
    std::chrono::nanoseconds wait(std::uint32_t cost) const;
    // Takes them, also ahead of time: who comes next waits for longer.
    void take(std::uint32_t cost);

   private:
    friend class RateTable;
    Bucket(const RateTable& table, Slot& slot, std::uint64_t key, std::chrono::nanoseconds now);

    const RateTable& table_;
    Slot& slot_;
    const std::uint64_t key_;
    const std::chrono::nanoseconds now_;
    std::chrono::nanoseconds full_at_;
  };
  // `now` never goes back.
  Bucket find(std::uint64_t key, std::chrono::nanoseconds now);

  // The hash by which a key of these parts is known here.
  std::uint64_t key_of(std::initializer_list<std::string_view> parts) const;

 private:
  const std::chrono::nanoseconds per_token_;
  const std::chrono::nanoseconds burst_;
  const SecretBytes hash_key_;
  std::vector<Slot> slots_;
};

}  // namespace warifu::front

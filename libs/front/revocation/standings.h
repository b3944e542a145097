#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "crypto/serial_set.h"
#include "store/store.h"

namespace warifu::front::revocation {

// What this node knows in memory of certificates that do not count: inactive, held, revoked. It is filled page by page
// at the start and then follows what changes, also on other nodes. One thread calls look(), any number asks.
class Standings {
 public:
  // Whose changes come late, or with an earlier time than this node has seen already, because clocks of nodes differ,
  // or a change took long: they are found within so much.
  static constexpr std::chrono::seconds kLookBack{60};
  // Of a node that could not look for so long nobody knows what it has missed.
  static constexpr std::chrono::seconds kStaleAfter{30};
  // A clock that goes back by more was wrong before: what had expired by it has not.
  static constexpr std::chrono::seconds kStepBack{60};
  // How often those are let go that have expired by themselves.
  static constexpr std::chrono::hours kSweepInterval{24};
  static constexpr std::size_t kPage = 1'000;

  // All outlive it.
  Standings(const Clock& clock, const MonotonicClock& monotonic_clock, Entropy& entropy, store::Store& store)
      : clock_(clock), monotonic_clock_(monotonic_clock), store_(store), not_good_(entropy) {}

  // A page of the first filling, or what has changed since. True: there is more, call it again at once. Errors are the
  // database's; then it goes on where it was. After the clock was set back it begins anew.
  Result<bool> look();

  // False only if it counts, as far as this node may rely on what it knows. True: the database has the word.
  bool may_not_count(ByteView serial) const;
  // All that there is was read, and not too long ago.
  bool is_current() const;

  // Grows with each change that a list of what is revoked would show.
  std::uint64_t changes() const { return changes_.load(); }
  std::size_t size() const { return not_good_.size(); }
  std::size_t memory() const { return not_good_.memory(); }

 private:
  // How far it has come in one scope.
  struct Progress {
    bool is_filled = false;
    std::optional<crypto::SerialNumber> filled_to = {};
    Timestamp newest = {};  // of the changes that were seen
    // Of the changes that are looked at again: which of them were seen.
    std::map<crypto::SerialNumber, Timestamp> recent = {};
  };
  struct Sweep {
    std::vector<ScopeId> scopes;
    std::optional<crypto::SerialNumber> swept_to = {};
    Timestamp from;
    Timestamp now;
  };

  void begin_anew_if_set_back();
  Result<bool> fill(const ScopeId& scope, Progress& progress);
  Status follow(const ScopeId& scope, Progress& progress);
  void take(const device_ca::Standing& standing, Progress& progress);
  // True: there is more to sweep.
  Result<bool> sweep(const std::vector<ScopeId>& scopes);
  Result<std::vector<device_ca::Standing>> list_not_good(const ScopeId& scope, Timestamp now,
                                                         const std::optional<crypto::SerialNumber>& after);

  const Clock& clock_;
  const MonotonicClock& monotonic_clock_;
  store::Store& store_;
  crypto::SerialSet not_good_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::chrono::nanoseconds> looked_at_ = std::chrono::nanoseconds::min();  // min: it never was complete
  // The looking thread's.
  Timestamp latest_ = {};  // that the clock has shown since it began
  std::map<ScopeId, Progress> progress_;
  std::optional<Timestamp> swept_at_;
  std::optional<Sweep> sweep_;
};

}  // namespace warifu::front::revocation

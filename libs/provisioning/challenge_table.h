#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/secret.h"
#include "base/time.h"

namespace warifu::provisioning {

// A challenge on its way: whoever signs with `key` holds, in one TPM, the EK that was enrolled and the SRK that it
// offered.
struct Challenge {
  Uuid challenge_id;
  Uuid enrollment_id;
  SecretBytes key;
  Bytes ek_name;
  Bytes srk_name;
  Bytes srk_public;  // TPM2B_PUBLIC
  Timestamp expires_at;

  Challenge clone() const;
};

// The outstanding challenges, in memory only: losing them costs a device one more request. At most two for each
// registration, the newest, so that a repeated request does not void the one before and a flood for one registration
// stays small. Safe to call from several threads.
class ChallengeTable {
 public:
  static constexpr std::size_t kOutstandingPerRegistrationMax = 2;
  // About 60 MiB when full.
  static constexpr std::size_t kOutstandingMax = 100'000;

  explicit ChallengeTable(std::size_t limit = kOutstandingMax) : limit_(limit) {}

  // kThrottled "challenge.too_many" when the whole table is full of challenges that still live.
  Status add(const ScopeId& scope, const RegistrationId& registration, Challenge challenge, Timestamp now);

  // A copy of the newest live challenge of that registration that `accept` takes.
  std::optional<Challenge> find(const ScopeId& scope, const RegistrationId& registration, Timestamp now,
                                const std::function<bool(const Challenge&)>& accept) const;

  // What was consumed, whether it is still there or not.
  void remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id);

  // Drops what has expired.
  void purge(Timestamp now);

  std::size_t size() const;

 private:
  using Outstanding = std::vector<Challenge>;  // oldest first

  void purge_locked(Timestamp now);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Outstanding> outstanding_;
  std::size_t size_ = 0;
  // Nothing expires before this: a full table is not searched again for every request of a flood.
  Timestamp next_expiry_ = Timestamp::min();
};

}  // namespace warifu::provisioning

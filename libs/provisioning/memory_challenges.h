#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "provisioning/challenges.h"

namespace warifu::provisioning {

// In memory only, for a node that is alone.
class MemoryChallenges final : public Challenges {
 public:
  // About 100 MiB when full.
  explicit MemoryChallenges(std::size_t limit = kOutstandingMax) : limit_(limit) {}

  Status add(const ScopeId& scope, const RegistrationId& registration, SealedChallenge challenge,
             Timestamp now) override;
  Result<std::vector<SealedChallenge>> find(const ScopeId& scope, const RegistrationId& registration,
                                            Timestamp now) override;
  void remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id) override;
  void purge(Timestamp now) override;
  std::size_t size() const override;

 private:
  using Outstanding = std::vector<SealedChallenge>;  // oldest first

  void purge_locked(Timestamp now);
  template <class Fits>
  static Outstanding::iterator find_oldest(Outstanding& outstanding, std::size_t most, Fits fits);
  static Outstanding::iterator find_replaced(Outstanding& outstanding, const SealedChallenge& challenge);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Outstanding> outstanding_;
  std::size_t size_ = 0;
  // Nothing expires before this: a full table is not searched again for every request of a flood.
  Timestamp next_expiry_ = Timestamp::min();
};

}  // namespace warifu::provisioning

#pragma once

#include <chrono>
#include <mutex>

#include "provisioning/challenges.h"
#include "store/loose_writes.h"

namespace warifu::store {

// The challenges of all nodes that share a database, in its table `challenges`.
class SqlChallenges final : public provisioning::Challenges {
 public:
  explicit SqlChallenges(LooseWrites& writes, std::size_t limit = kOutstandingMax) : writes_(writes), limit_(limit) {}

  Status add(const ScopeId& scope, const RegistrationId& registration, provisioning::SealedChallenge challenge,
             Timestamp now) override;
  Result<std::vector<provisioning::SealedChallenge>> find(const ScopeId& scope, const RegistrationId& registration,
                                                          Timestamp now) override;
  void remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id) override;
  void purge(Timestamp now) override;
  // As counted last, and what this node added since.
  std::size_t size() const override;

 private:
  // Whether another one has room, or only takes the place of an older one of the same registration.
  Status check_room(Connection& connection, const ScopeId& scope, const RegistrationId& registration,
                    const provisioning::SealedChallenge& challenge, Timestamp now);
  static Result<bool> replaces_another(Connection& connection, const ScopeId& scope, const RegistrationId& registration,
                                       const provisioning::SealedChallenge& challenge, Timestamp now);
  static Result<std::size_t> keep_newest(Connection& connection, const ScopeId& scope,
                                         const RegistrationId& registration,
                                         const provisioning::SealedChallenge& challenge);
  Status count(Connection& connection, Timestamp now);
  bool must_count(Timestamp now) const;

  LooseWrites& writes_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::size_t size_ = 0;
  Timestamp counted_at_ = Timestamp::min();
};

}  // namespace warifu::store

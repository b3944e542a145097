#include "provisioning/memory_challenges.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace warifu::provisioning {
namespace {

constexpr std::chrono::seconds kSearchInterval{1};

// Neither part can hold a slash.
std::string key_of(const ScopeId& scope, const RegistrationId& registration) {
  return fmt::format("{}/{}", scope.text(), registration.text());
}

}  // namespace

// The first, which is the oldest, of those that fit, if they are `most` already.
template <class Fits>
MemoryChallenges::Outstanding::iterator MemoryChallenges::find_oldest(Outstanding& outstanding, std::size_t most,
                                                                      Fits fits) {
  if (static_cast<std::size_t>(std::ranges::count_if(outstanding, fits)) < most) return outstanding.end();
  return std::ranges::find_if(outstanding, fits);
}

// Whose place the new one takes; the end: it is one more.
MemoryChallenges::Outstanding::iterator MemoryChallenges::find_replaced(Outstanding& outstanding,
                                                                        const SealedChallenge& challenge) {
  if (challenge.has_known_keys)
    return find_oldest(outstanding, kOfKnownKeysMax, [](const SealedChallenge& c) { return c.has_known_keys; });
  const auto of_network = find_oldest(outstanding, kOfNetworkMax, [&](const SealedChallenge& c) {
    return !c.has_known_keys && c.peer_network == challenge.peer_network;
  });
  if (of_network != outstanding.end()) return of_network;
  return find_oldest(outstanding, kOfOthersMax, [](const SealedChallenge& c) { return !c.has_known_keys; });
}

Status MemoryChallenges::add(const ScopeId& scope, const RegistrationId& registration, SealedChallenge challenge,
                             Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (size_ >= limit_ && now >= next_expiry_) purge_locked(now);
  const auto slot = outstanding_.find(key_of(scope, registration));
  Outstanding none;
  const auto replaced = find_replaced(slot == outstanding_.end() ? none : slot->second, challenge);
  const bool replaces = slot != outstanding_.end() && replaced != slot->second.end();
  if (size_ >= limit_ && !replaces)
    return Error{ErrorKind::kThrottled, "challenge.too_many",
                 fmt::format("{} challenges are outstanding, which is the limit: try again in a minute", limit_)};
  if (replaces) {
    slot->second.erase(replaced);
    --size_;
  }
  Outstanding& outstanding = slot != outstanding_.end() ? slot->second : outstanding_[key_of(scope, registration)];
  next_expiry_ = std::min(next_expiry_, challenge.expires_at);
  outstanding.push_back(std::move(challenge));
  ++size_;
  return {};
}

Result<std::vector<SealedChallenge>> MemoryChallenges::find(const ScopeId& scope, const RegistrationId& registration,
                                                            Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::vector<SealedChallenge> live;
  const auto slot = outstanding_.find(key_of(scope, registration));
  if (slot == outstanding_.end()) return live;
  std::copy_if(slot->second.rbegin(), slot->second.rend(), std::back_inserter(live),
               [&](const SealedChallenge& challenge) { return challenge.expires_at > now; });
  return live;
}

void MemoryChallenges::remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id) {
  const std::lock_guard lock(mutex_);
  const auto slot = outstanding_.find(key_of(scope, registration));
  if (slot == outstanding_.end()) return;
  size_ -= std::erase_if(slot->second, [&](const SealedChallenge& c) { return c.challenge_id == challenge_id; });
  if (slot->second.empty()) outstanding_.erase(slot);
}

void MemoryChallenges::purge(Timestamp now) {
  const std::lock_guard lock(mutex_);
  purge_locked(now);
}

void MemoryChallenges::purge_locked(Timestamp now) {
  next_expiry_ = Timestamp::max();
  for (auto slot = outstanding_.begin(); slot != outstanding_.end();) {
    Outstanding& outstanding = slot->second;
    size_ -= std::erase_if(outstanding, [&](const SealedChallenge& c) { return c.expires_at <= now; });
    for (const SealedChallenge& challenge : outstanding)
      next_expiry_ = std::min(next_expiry_, challenge.expires_at);
    slot = outstanding.empty() ? outstanding_.erase(slot) : std::next(slot);
  }
  // Challenges that expire one by one must not have the full table searched for each.
  next_expiry_ = std::max(next_expiry_, now + kSearchInterval);
}

std::size_t MemoryChallenges::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace warifu::provisioning

#include "provisioning/challenge_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::provisioning {
namespace {

constexpr std::chrono::seconds kSearchInterval{1};

// Neither part can hold a slash.
std::string key_of(const ScopeId& scope, const RegistrationId& registration) {
  return fmt::format("{}/{}", scope.text(), registration.text());
}

}  // namespace

Challenge Challenge::clone() const {
  return {challenge_id, enrollment_id, key.clone(), ek_name, srk_name, srk_public, expires_at};
}

Status ChallengeTable::add(const ScopeId& scope, const RegistrationId& registration, Challenge challenge,
                           Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (size_ >= limit_ && now >= next_expiry_) purge_locked(now);
  const auto slot = outstanding_.find(key_of(scope, registration));
  const bool replaces = slot != outstanding_.end() && slot->second.size() >= kOutstandingPerRegistrationMax;
  if (size_ >= limit_ && !replaces)
    return Error{ErrorKind::kThrottled, "challenge.too_many",
                 fmt::format("{} challenges are outstanding, which is the limit: try again in a minute", limit_)};
  if (replaces) {
    slot->second.erase(slot->second.begin());
    --size_;
  }
  Outstanding& outstanding = slot != outstanding_.end() ? slot->second : outstanding_[key_of(scope, registration)];
  next_expiry_ = std::min(next_expiry_, challenge.expires_at);
  outstanding.push_back(std::move(challenge));
  ++size_;
  return {};
}

std::optional<Challenge> ChallengeTable::find(const ScopeId& scope, const RegistrationId& registration, Timestamp now,
                                              const std::function<bool(const Challenge&)>& accept) const {
  const std::lock_guard lock(mutex_);
  const auto slot = outstanding_.find(key_of(scope, registration));
  if (slot == outstanding_.end()) return std::nullopt;
  for (auto challenge = slot->second.rbegin(); challenge != slot->second.rend(); ++challenge)
    if (challenge->expires_at > now && accept(*challenge)) return challenge->clone();
  return std::nullopt;
}

void ChallengeTable::remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id) {
  const std::lock_guard lock(mutex_);
  const auto slot = outstanding_.find(key_of(scope, registration));
  if (slot == outstanding_.end()) return;
  size_ -= std::erase_if(slot->second, [&](const Challenge& c) { return c.challenge_id == challenge_id; });
  if (slot->second.empty()) outstanding_.erase(slot);
}

void ChallengeTable::purge(Timestamp now) {
  const std::lock_guard lock(mutex_);
  purge_locked(now);
}

void ChallengeTable::purge_locked(Timestamp now) {
  next_expiry_ = Timestamp::max();
  for (auto slot = outstanding_.begin(); slot != outstanding_.end();) {
    Outstanding& outstanding = slot->second;
    size_ -= std::erase_if(outstanding, [&](const Challenge& c) { return c.expires_at <= now; });
    for (const Challenge& challenge : outstanding)
      next_expiry_ = std::min(next_expiry_, challenge.expires_at);
    slot = outstanding.empty() ? outstanding_.erase(slot) : std::next(slot);
  }
  // Challenges that expire one by one must not have the full table searched for each.
  next_expiry_ = std::max(next_expiry_, now + kSearchInterval);
}

std::size_t ChallengeTable::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace warifu::provisioning

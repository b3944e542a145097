#include "front/revocation/standings.h"

#include <algorithm>

namespace warifu::front::revocation {

using device_ca::Standing;
using device_ca::State;

Result<bool> Standings::look() {
  begin_anew_if_set_back();
  std::vector<ScopeId> scopes;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(scopes, snapshot.provisioning().list_scopes());
    return {};
  }));
  for (const ScopeId& scope : scopes) {
    auto& progress = progress_[scope];
    if (progress.is_filled) continue;
    TRY(const bool is_filled, fill(scope, progress));
    progress.is_filled = is_filled;
    return true;
  }
  for (const ScopeId& scope : scopes)
    TRY_STATUS(follow(scope, progress_[scope]));
  looked_at_ = monotonic_clock_.now();
  return sweep(scopes);
}

// By a clock that was ahead some had expired that have not: they are not known here. What is known stays: the database
// has the word about it anyway.
void Standings::begin_anew_if_set_back() {
  const Timestamp now = clock_.now();
  if (now >= latest_ - kStepBack) {
    latest_ = std::max(latest_, now);
    return;
  }
  looked_at_ = std::chrono::nanoseconds::min();
  latest_ = now;
  progress_.clear();
  sweep_.reset();
  if (swept_at_) swept_at_ = std::min(*swept_at_, now);
}

Result<std::vector<Standing>> Standings::list_not_good(const ScopeId& scope, Timestamp now,
                                                       const std::optional<crypto::SerialNumber>& after) {
  std::vector<Standing> page;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(page, snapshot.device_ca().list_not_good(scope, now, {after, kPage}));
    return {};
  }));
  return page;
}

// True when that was the last page. What changes meanwhile is found by following from the moment when it began.
Result<bool> Standings::fill(const ScopeId& scope, Progress& progress) {
  const Timestamp now = clock_.now();
  if (!progress.filled_to) progress.newest = now;
  TRY(const auto page, list_not_good(scope, now, progress.filled_to));
  for (const Standing& standing : page)
    not_good_.add(standing.serial);
  if (!page.empty()) progress.filled_to = page.back().serial;
  return page.size() < kPage;
}

Status Standings::follow(const ScopeId& scope, Progress& progress) {
  // Not from what a clock that is ahead has written: it would hide all that comes before.
  const Timestamp from = std::min(progress.newest, clock_.now()) - kLookBack;
  device_ca::StandingKey key{from, {}};
  std::vector<Standing> page;
  do {
    TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
      TRY(page, snapshot.device_ca().list_standings(scope, key, kPage));
      return {};
    }));
    for (const Standing& standing : page)
      take(standing, progress);
    if (!page.empty()) key = {page.back().changed_at, to_bytes(page.back().serial.bytes())};
  } while (page.size() == kPage);
  std::erase_if(progress.recent, [&](const auto& seen) { return seen.second < from; });
  return {};
}

void Standings::take(const Standing& standing, Progress& progress) {
  progress.newest = std::max(progress.newest, standing.changed_at);
  const auto [seen, is_new] = progress.recent.try_emplace(standing.serial, standing.changed_at);
  if (!is_new && seen->second == standing.changed_at) return;
  seen->second = standing.changed_at;
  if (standing.state == State::kActive) {
    if (not_good_.remove(standing.serial)) ++changes_;
    return;
  }
  if (standing.not_after > clock_.now()) not_good_.add(standing.serial);
  ++changes_;
}

// Nobody asks about those that have expired, for they have expired. Those of an earlier sweep are gone.
Result<bool> Standings::sweep(const std::vector<ScopeId>& scopes) {
  const Timestamp now = clock_.now();
  if (!swept_at_) swept_at_ = now;
  if (!sweep_) {
    if (now - *swept_at_ < kSweepInterval) return false;
    sweep_ = Sweep{scopes, {}, *swept_at_, now};
  }
  if (sweep_->scopes.empty()) {
    swept_at_ = sweep_->now;
    sweep_.reset();
    return false;
  }
  TRY(const auto page, list_not_good(sweep_->scopes.back(), sweep_->from, sweep_->swept_to));
  for (const Standing& standing : page)
    if (standing.not_after <= sweep_->now) not_good_.remove(standing.serial);
  if (!page.empty()) sweep_->swept_to = page.back().serial;
  if (page.size() < kPage) {
    sweep_->scopes.pop_back();
    sweep_->swept_to.reset();
  }
  return true;
}

bool Standings::is_current() const {
  const auto looked_at = looked_at_.load();
  return looked_at != std::chrono::nanoseconds::min() && monotonic_clock_.now() - looked_at < kStaleAfter;
}

bool Standings::may_not_count(ByteView serial) const {
  return not_good_.contains(serial) || !is_current();
}

}  // namespace warifu::front::revocation

#include "front/dps/attempt_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "net/peer_network.h"

namespace warifu::front::dps {
namespace {

using provisioning::Attempt;

// The name in a certificate may be of any length, and no UTF-8: one row that the database does not take would cost all
// that are written with it.
std::string printable(std::string text) {
  text.resize(std::min(text.size(), AttemptLog::kMessageSizeMax));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

bool are_alike(const Attempt& a, const Attempt& b) {
  return a.registration_id == b.registration_id && a.scope == b.scope && a.stage == b.stage && a.code == b.code &&
         a.peer_network == b.peer_network;
}

// An ID of its own, or of a group whose device came before.
Result<bool> find_enrolled(provisioning::RecordsView& records, const Attempt& attempt) {
  TRY(const auto enrollment, records.find_enrollment(attempt.scope, attempt.registration_id));
  if (enrollment) return true;
  TRY(const auto device, records.find_device_of(attempt.scope, attempt.registration_id));
  return device.has_value();
}

Status write(store::Transaction& transaction, Attempt attempt) {
  TRY(const bool has_scope, transaction.provisioning().scope_exists(attempt.scope));
  if (!has_scope) return {};
  TRY(attempt.is_enrolled, find_enrolled(transaction.provisioning(), attempt));
  return transaction.diary().add(attempt);
}

}  // namespace

void AttemptLog::note(Attempt attempt, Standing standing) {
  attempt.message = printable(std::move(attempt.message));
  attempt.peer_network = to_hex(as_bytes(net::peer_network(attempt.peer_address)));
  attempt.first_at = attempt.at;
  std::unique_lock lock(mutex_);
  if (count_up(attempt)) return;
  if (waiting_.size() >= kWaitingOfAnybodyMax && standing == Standing::kUnknown) {
    lock.unlock();
    const bool is_ours = is_enrolled(attempt);
    lock.lock();
    if (!is_ours) {
      ++dropped_;
      return;
    }
    if (count_up(attempt)) return;  // somebody told the same meanwhile
  }
  if (make_room_for(attempt)) waiting_.push_back(std::move(attempt));
}

bool AttemptLog::count_up(const Attempt& attempt) {
  const auto same = std::ranges::find_if(waiting_, [&](const Attempt& one) { return are_alike(one, attempt); });
  if (same == waiting_.end()) return false;
  if (same->tracking_id == attempt.tracking_id) return true;  // a change that ran twice
  const auto [count, first_at] = std::pair(same->count + attempt.count, same->first_at);
  *same = attempt;
  same->count = count;
  same->first_at = first_at;
  return true;
}

// The network that has the most gives up its newest, unless that would only turn the tables.
bool AttemptLog::make_room_for(const Attempt& attempt) {
  if (waiting_.size() < kWaitingMax) return true;
  ++dropped_;
  std::unordered_map<std::string_view, std::size_t> counts;
  for (const Attempt& one : waiting_)
    ++counts[one.peer_network];
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& network_and_count) { return network_and_count.second; });
  if (most->second <= counts[attempt.peer_network] + 1) return false;
  const auto newest = std::find_if(waiting_.rbegin(), waiting_.rend(),
                                   [&](const Attempt& one) { return one.peer_network == most->first; });
  waiting_.erase(std::prev(newest.base()));
  return true;
}

bool AttemptLog::is_enrolled(const Attempt& attempt) const {
  bool found = false;
  const auto read = store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(found, find_enrolled(snapshot.provisioning(), attempt));
    return {};
  });
  return read && found;
}

void AttemptLog::flush() {
  const auto attempts = std::make_shared<std::vector<Attempt>>();
  {
    const std::lock_guard lock(mutex_);
    attempts->swap(waiting_);
  }
  if (attempts->empty()) return;
  store_.submit({[attempts](store::Transaction& transaction) -> Status {
                   for (const auto& attempt : *attempts)
                     TRY_STATUS(write(transaction, attempt));
                   return {};
                 },
                 [](const Status& done) {
                   if (!done) spdlog::warn("the diary of attempts was not written: {}", to_string(done.error()));
                 }});
}

bool AttemptLog::purge() {
  bool has_more = false;
  // What one purge removes at most beyond the room is all that is counted: a long count is no writer's work.
  struct Surplus {
    ScopeId scope;
    bool is_enrolled;
    std::size_t count;
  };
  std::vector<Surplus> surplus;
  const auto counted = store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto scopes, snapshot.provisioning().list_scopes());
    for (const ScopeId& scope : scopes)
      for (const bool is_enrolled : {true, false}) {
        const std::size_t room = is_enrolled ? room_.enrolled : room_.others;
        TRY(const auto count, snapshot.provisioning().count_attempts(scope, is_enrolled, room + kPurgeMax));
        if (count > room) surplus.push_back({scope, is_enrolled, count - room});
      }
    return {};
  });
  const auto purged = store_.write([&](store::Transaction& transaction) -> Status {
    has_more = false;
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    for (const ScopeId& scope : scopes) {
      TRY(const auto removed, transaction.diary().purge(scope, clock_.now() - kKept, kPurgeMax));
      has_more = has_more || removed == kPurgeMax;
    }
    for (const auto& [scope, is_enrolled, count] : surplus) {
      TRY(const auto removed, transaction.diary().trim(scope, is_enrolled, count));
      has_more = has_more || removed == kPurgeMax;
    }
    return {};
  });
  return counted && purged && has_more;
}

std::size_t AttemptLog::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace warifu::front::dps

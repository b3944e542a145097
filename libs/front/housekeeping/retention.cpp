#include "front/housekeeping/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "front/key_holders.h"

namespace warifu::front::housekeeping {
namespace {

// Of IDs alone, in one read.
constexpr std::size_t kDrawnAtOnceMax = 1'000;

std::uint64_t draw_below(Entropy& entropy, std::uint64_t bound) {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  entropy.fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes) % bound;
}

}  // namespace

// That no enrollment and no group knows it. Every other reason why it may not attest is one that may pass.
template <class View>
Result<bool> Retention::is_gone(View& view, const ScopeId& scope, const RegistrationId& id) const {
  TRY(const auto ak, view.verifier().find_ak(scope, id));
  if (!ak) return false;
  const auto allowed = registrar_.may_attest(view.provisioning(), scope, id, ByteView(ak->ek_name));
  return !allowed && allowed.error().kind == ErrorKind::kNotFound;
}

Status Retention::look() {
  const Timestamp now = clock_.now();
  if (last_look_ && now >= *last_look_ && now - *last_look_ < kLooksApart) return {};
  last_look_ = now;
  std::vector<ScopeId> scopes;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(scopes, snapshot.provisioning().list_scopes());
    return {};
  }));
  for (const ScopeId& scope : scopes)
    TRY_STATUS(look_at(scope));
  return {};
}

Status Retention::look_at(const ScopeId& scope) {
  bool has_more = true;
  verifier::DueKey after;
  for (std::size_t changes = 0; has_more && changes < bounds_.changes; ++changes) {
    TRY(has_more, remove_gone(scope, after));
  }
  has_more = true;
  for (std::size_t changes = 0; has_more && changes < bounds_.changes; ++changes) {
    TRY(has_more, remove_unused_logs(scope));
  }
  return look_at_keys(scope);
}

Result<bool> Retention::remove_unused_logs(const ScopeId& scope) {
  std::vector<Bytes> unused;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(unused, snapshot.verifier().list_unused_event_logs(scope, clock_.now() - kUnusedKept, bounds_.at_once));
    return {};
  }));
  if (unused.empty()) return false;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    for (const Bytes& sha256 : unused)
      TRY_STATUS(transaction.verifier().remove_unused_event_log(scope, sha256));
    return {};
  }));
  return unused.size() == bounds_.at_once;
}

Result<bool> Retention::remove_gone(const ScopeId& scope, verifier::DueKey& after) {
  std::vector<verifier::LedgerInfo> silent;
  std::vector<verifier::LedgerInfo> gone;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(silent, snapshot.verifier().list_due(scope, after, clock_.now() - kGoneKept, bounds_.at_once));
    for (const auto& device : silent) {
      TRY(const bool is_gone_now, is_gone(snapshot, scope, device.registration_id));
      if (is_gone_now) gone.push_back(device);
    }
    return {};
  }));
  if (silent.empty()) return false;
  after = {silent.back().next_due_at, silent.back().registration_id.text()};
  if (!gone.empty()) {
    TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
      for (const auto& device : gone)
        TRY_STATUS(remove(transaction, scope, device));
      return {};
    }));
  }
  return silent.size() == bounds_.at_once;
}

Status Retention::look_at_keys(const ScopeId& scope) {
  if (!places_.contains(scope)) {
    TRY(auto drawn, draw_place(scope));
    places_.emplace(scope, std::move(drawn));
  }
  Place& place = places_.at(scope);
  bool is_from_the_start = !place;
  for (std::size_t changes = 0; changes < bounds_.changes; ++changes) {
    TRY(const bool is_at_the_end, end_orphaned_keys(scope, place));
    if (is_at_the_end && is_from_the_start) break;
    is_from_the_start = is_from_the_start || is_at_the_end;
  }
  return {};
}

Result<Retention::Place> Retention::draw_place(const ScopeId& scope) {
  Place drawn;
  Place last;
  std::vector<RegistrationId> holders;
  for (std::uint64_t pages = 1;; ++pages) {
    TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
      TRY(holders, snapshot.application_keys().list_holders(scope, last, kDrawnAtOnceMax));
      return {};
    }));
    if (holders.empty()) return drawn;
    // Each page is as likely as those before it.
    if (draw_below(entropy_, pages) == 0) drawn = holders[draw_below(entropy_, holders.size())];
    last = holders.back();
  }
}

Result<bool> Retention::end_orphaned_keys(const ScopeId& scope, Place& place) {
  std::vector<RegistrationId> holders;
  std::vector<RegistrationId> orphaned;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.application_keys();
    TRY(holders, records.list_holders(scope, place, bounds_.at_once));
    for (const auto& id : holders) {
      TRY(const auto standing, find_key_holders(snapshot.provisioning(), scope, id));
      TRY(const auto keys, records.list_keys_of(scope, id, application_keys::kLookedAtMax));
      if (std::ranges::any_of(keys, [&](const auto& key) { return standing_of(key, standing) != key.state; }))
        orphaned.push_back(id);
    }
    return {};
  }));
  for (std::size_t next = 0; next < orphaned.size();) {
    TRY(next, end_keys_of(scope, orphaned, next));
  }
  const bool is_at_the_end = holders.size() < bounds_.at_once;
  place = is_at_the_end ? Place() : Place(holders.back());
  return is_at_the_end;
}

Result<std::size_t> Retention::end_keys_of(const ScopeId& scope, const std::vector<RegistrationId>& orphaned,
                                           std::size_t first) const {
  std::size_t next = first;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    std::size_t left = bounds_.at_once;
    for (next = first; next < orphaned.size(); ++next) {
      TRY(const auto standing, find_key_holders(transaction.provisioning(), scope, orphaned[next]));
      TRY(const auto ended, keys_.end_orphans(transaction.application_keys(), transaction.audit(), scope,
                                              orphaned[next], standing, left));
      left -= ended;
      if (left == 0) break;  // this one may have more
    }
    return {};
  }));
  return next;
}

Status Retention::remove(store::Transaction& transaction, const ScopeId& scope,
                         const verifier::LedgerInfo& gone) const {
  // It may have come back while it was looked at.
  TRY(const auto ledger, transaction.verifier().find_ledger(scope, gone.registration_id));
  TRY(const bool is_gone_still, is_gone(transaction, scope, gone.registration_id));
  if (!ledger || ledger->next_due_at != gone.next_due_at || !is_gone_still) return {};
  TRY_STATUS(transaction.verifier().remove_attester(scope, gone.registration_id));
  return transaction.audit().record(
      scope, {"system", "attestation.retire", fmt::format("registration:{}", gone.registration_id.text()),
              fmt::format(R"({{"attested_at":"{}"}})", to_rfc3339(gone.attested_at))});
}

}  // namespace warifu::front::housekeeping

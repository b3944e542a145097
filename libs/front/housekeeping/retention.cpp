#include "front/housekeeping/retention.h"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/statement.h"

namespace warifu::front::housekeeping {

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
  for (std::size_t changes = 0; has_more && changes < kChangesMax; ++changes) {
    TRY(has_more, remove_gone(scope, after));
  }
  has_more = true;
  for (std::size_t changes = 0; has_more && changes < kChangesMax; ++changes) {
    TRY(has_more, remove_unused_logs(scope));
  }
  has_more = true;
  for (std::size_t changes = 0; has_more && changes < kChangesMax; ++changes) {
    TRY(has_more, end_orphaned_keys(scope));
  }
  return {};
}

Result<bool> Retention::remove_unused_logs(const ScopeId& scope) {
  std::vector<Bytes> unused;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(unused, snapshot.verifier().list_unused_event_logs(scope, clock_.now() - kUnusedKept, kRemovedAtOnceMax));
    return {};
  }));
  if (unused.empty()) return false;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    for (const Bytes& sha256 : unused)
      TRY_STATUS(transaction.verifier().remove_unused_event_log(scope, sha256));
    return {};
  }));
  return unused.size() == kRemovedAtOnceMax;
}

Result<bool> Retention::remove_gone(const ScopeId& scope, verifier::DueKey& after) {
  std::vector<verifier::LedgerInfo> silent;
  std::vector<verifier::LedgerInfo> gone;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(silent, snapshot.verifier().list_due(scope, after, clock_.now() - kGoneKept, kRemovedAtOnceMax));
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
  return silent.size() == kRemovedAtOnceMax;
}

Result<bool> Retention::end_orphaned_keys(const ScopeId& scope) {
  std::vector<RegistrationId> holders;
  std::vector<RegistrationId> orphaned;
  const auto last = looked_at_.find(scope);
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.application_keys();
    TRY(holders, records.list_holders(scope, last == looked_at_.end() ? std::nullopt : std::optional(last->second),
                                      kRemovedAtOnceMax));
    for (const auto& id : holders) {
      TRY(const auto enrollment_id, find_enrollment_id(snapshot.provisioning(), scope, id));
      TRY(const auto keys, records.list_keys_of(scope, id, application_keys::kLookedAtMax));
      if (std::ranges::any_of(keys, [&](const auto& key) { return standing_of(key, enrollment_id) != key.state; }))
        orphaned.push_back(id);
    }
    return {};
  }));
  if (!orphaned.empty()) {
    TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
      for (const auto& id : orphaned) {
        TRY(const auto enrollment_id, find_enrollment_id(transaction.provisioning(), scope, id));
        TRY_STATUS(keys_.end_orphans(transaction.application_keys(), transaction.audit(), scope, id, enrollment_id));
      }
      return {};
    }));
  }
  // The next look begins anew where this one came to the end.
  if (holders.size() < kRemovedAtOnceMax) {
    looked_at_.erase(scope);
    return false;
  }
  looked_at_.insert_or_assign(scope, holders.back());
  return true;
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

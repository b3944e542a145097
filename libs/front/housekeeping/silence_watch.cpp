#include "front/housekeeping/silence_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::front::housekeeping {
namespace {

constexpr std::string_view kSilent = "attestation.silent";

// Whether this silence was told of already, by whichever node.
Result<bool> is_raised(provisioning::RecordsView& records, const ScopeId& scope, const verifier::LedgerInfo& silent) {
  TRY(const auto alerts, records.list_alerts_of(scope, silent.registration_id));
  return std::ranges::any_of(alerts, [&](const provisioning::Alert& alert) {
    return alert.kind == kSilent && alert.last_at >= silent.next_due_at;
  });
}

std::string detail_of(const verifier::LedgerInfo& silent) {
  return fmt::format("it should have attested by {}; it did so last at {}, and was {}", to_rfc3339(silent.next_due_at),
                     to_rfc3339(silent.attested_at), to_string(silent.overall));
}

}  // namespace

Status SilenceWatch::look() {
  const Timestamp now = clock_.now();
  if (!was_there(now)) return {};
  auto looked = look_at_all(now);
  if (!looked) there_since_.reset();
  return looked;
}

bool SilenceWatch::was_there(Timestamp now) {
  const bool goes_on = there_since_ && now >= last_look_ && now - last_look_ <= kLooksApartMax;
  last_look_ = now;
  if (!goes_on) there_since_ = now;
  return now - *there_since_ >= interval_ + verifier::silence_grace(interval_);
}

Status SilenceWatch::look_at_all(Timestamp before) {
  TRY(const auto all, scopes());
  for (const ScopeId& scope : all) {
    bool has_more = true;
    for (std::size_t changes = 0; has_more && changes < kChangesMax; ++changes) {
      TRY(has_more, look_some(scope, before));
    }
  }
  return {};
}

Result<std::vector<ScopeId>> SilenceWatch::scopes() const {
  std::vector<ScopeId> all;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(all, snapshot.provisioning().list_scopes());
    return {};
  }));
  return all;
}

Result<bool> SilenceWatch::look_some(const ScopeId& scope, Timestamp before) {
  std::vector<verifier::LedgerInfo> silent;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(silent, snapshot.verifier().list_silent(scope, looked_at_[scope], before, kLookedAtMax));
    return {};
  }));
  if (silent.empty()) return false;
  std::size_t raised = 0;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    raised = 0;  // it may be tried again
    for (const auto& device : silent) {
      TRY(const bool is_news, raise(transaction, scope, device));
      raised += is_news ? 1 : 0;
    }
    return {};
  }));
  metrics_.count_silence_alarms(raised);
  looked_at_[scope] = {verifier::silent_at(silent.back()), silent.back().registration_id.text()};
  return silent.size() == kLookedAtMax;
}

Result<bool> SilenceWatch::raise(store::Transaction& transaction, const ScopeId& scope,
                                 const verifier::LedgerInfo& silent) const {
  const RegistrationId& id = silent.registration_id;
  // It may have come while it was looked at.
  TRY(const auto ledger, transaction.verifier().find_ledger(scope, id));
  if (!ledger || ledger->next_due_at != silent.next_due_at) return false;
  TRY(const auto ak, transaction.verifier().find_ak(scope, id));
  if (!ak || !registrar_.may_attest(transaction.provisioning(), scope, id, ByteView(ak->ek_name))) return false;
  TRY(const bool was_raised, is_raised(transaction.provisioning(), scope, silent));
  if (was_raised) return false;
  const Timestamp now = clock_.now();
  TRY_STATUS(transaction.provisioning().raise_alert({.scope = scope,
                                                     .kind = std::string(kSilent),
                                                     .registration_id = id,
                                                     .subject = "attestation",
                                                     .detail = detail_of(silent),
                                                     .count = 1,
                                                     .first_at = now,
                                                     .last_at = now,
                                                     .acknowledged_at = std::nullopt}));
  TRY_STATUS(transaction.audit().record(
      scope, {"system", "alert.raise", fmt::format("registration:{}", id.text()),
              fmt::format(R"({{"kind":"{}","due_at":"{}"}})", kSilent, to_rfc3339(silent.next_due_at))}));
  return true;
}

}  // namespace warifu::front::housekeeping

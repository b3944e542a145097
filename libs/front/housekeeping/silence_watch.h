#pragma once

#include <map>
#include <optional>

#include "front/metrics.h"
#include "provisioning/registrar.h"
#include "store/store.h"
#include "verifier/limits.h"
#include "verifier/records.h"

namespace warifu::front::housekeeping {

// Notices devices that stopped attesting, and raises one alert for each silence: "attestation.silent". A device has its
// own interval, by which its ledger says when it was due: it is missed two of them later. Who may not
// attest any more is not missed. Each node looks for itself, and what one has raised the others leave alone, so that no
// device depends on one of them. Who could not come because the server or its database was away is not missed before
// it had its time. It blocks; one thread calls it. The objects that it is given outlive it.
class SilenceWatch {
 public:
  // In one change, so that no device's answer waits long behind it; and in one look, so that a server that is told to
  // stop does not go on for a fleet that fell silent at once. The next look goes on.
  static constexpr std::size_t kLookedAtMax = 100;
  static constexpr std::size_t kChangesMax = 100;

  // `interval`: the one of verifier::Desk, by which devices have the time to come after a pause.
  SilenceWatch(const Clock& clock, const provisioning::Registrar& registrar, store::Store& store, Metrics& metrics,
               std::chrono::seconds interval = verifier::kInterval)
      : clock_(clock), registrar_(registrar), store_(store), metrics_(metrics), interval_(interval) {}

  // Looks at all who became silent since the last look; the first one looks at all. To be called at least every
  // kLooksApartMax: after a longer pause, and after an error, devices have their time again.
  Status look();
  static constexpr std::chrono::minutes kLooksApartMax{5};

 private:
  // Whether devices had the time to come.
  bool was_there(Timestamp now);
  Status look_at_all(Timestamp before);
  Result<std::vector<ScopeId>> scopes() const;
  // One short change; true if there may be more.
  Result<bool> look_some(const ScopeId& scope, Timestamp before);
  Result<bool> raise(store::Transaction& transaction, const ScopeId& scope, const verifier::LedgerInfo& silent) const;

  const Clock& clock_;
  const provisioning::Registrar& registrar_;
  store::Store& store_;
  Metrics& metrics_;
  const std::chrono::seconds interval_;
  std::optional<Timestamp> there_since_;
  Timestamp last_look_ = {};
  std::map<ScopeId, verifier::DueKey> looked_at_;  // up to here
};

}  // namespace warifu::front::housekeeping

#pragma once

#include <optional>

#include "base/entropy.h"
#include "provisioning/records.h"
#include "store/sql_webhooks.h"
#include "verifier/records.h"

namespace warifu::store {

// Writes the events of a transaction's facts into the outbox. The repositories call it where they write the fact, so
// that no caller can forget it; which events there are is said in docs/protocols/webhooks.md.
class EventWriter {
 public:
  EventWriter(SqlWebhookRecords& webhooks, Entropy& entropy) : webhooks_(webhooks), entropy_(entropy) {}

  // `before`: the alert as it stood, if it did. What goes on unseen is told once.
  Status alert_raised(const std::optional<provisioning::Alert>& before, const provisioning::Alert& alert);
  // The same keys that wait already are no news.
  Status approval_put(const std::optional<provisioning::Approval>& before, const provisioning::Approval& approval);
  // `before`: absent if the device has not attested yet. A first result is news if it is bad.
  Status attestation_recorded(std::optional<attestation::Tier> before, const verifier::Ledger& ledger);

 private:
  SqlWebhookRecords& webhooks_;
  Entropy& entropy_;
};

}  // namespace warifu::store

#pragma once

#include <atomic>
#include <vector>

#include "base/secret.h"
#include "front/metrics.h"
#include "store/store.h"
#include "webhooks/backoff.h"
#include "webhooks/poster.h"

namespace warifu::front::outbox {

// Takes what waits in the outbox to its receivers, at least once and in the order of the events
// (docs/protocols/webhooks.md). It blocks. The objects that it is given outlive it. Safe to call from several threads.
class Courier {
 public:
  Courier(const Clock& clock, Entropy& entropy, SecretBytes envelope_key, store::Store& store, webhooks::Poster& poster,
          Metrics& metrics);

  // The webhooks for which something is due and that no other node delivers for.
  Result<std::vector<webhooks::WebhookKey>> list_due() const;
  // Delivers what is due for one of them, until nothing is, an attempt fails, another node has the lease, or it is told
  // to stop.
  Status deliver(const webhooks::WebhookKey& key, const std::atomic<bool>& is_stopped);
  // Drops what waits for too long or is too much; that is counted, and told once for each webhook. To be called about
  // every minute.
  Status clean_up();
  // Tells the metrics how many wait, since when, and how webhooks do.
  Status measure();

 private:
  struct Parcel {
    webhooks::Webhook webhook;
    webhooks::Delivery delivery;
  };
  Result<bool> take_lease(store::Transaction& transaction, const webhooks::WebhookKey& key) const;
  Result<bool> deliver_next(const webhooks::WebhookKey& key);
  Result<std::optional<Parcel>> next(const webhooks::WebhookKey& key) const;
  Result<webhooks::PostRequest> sign(const Parcel& parcel) const;
  // nullopt: it was told to stop, and nothing is known.
  std::optional<webhooks::Outcome> attempt(const Parcel& parcel);
  Status settle(const webhooks::WebhookKey& key, webhooks::Delivery delivery, const webhooks::Outcome& outcome);
  // Tells that a webhook fails for good, or works again.
  Status tell_of_state(store::Transaction& transaction, const webhooks::WebhookKey& key,
                       webhooks::Progress& progress) const;
  // For one webhook, kDropRoundsMax batches at most.
  Status drop(const webhooks::WebhookKey& key);
  Result<std::size_t> drop_some(const webhooks::WebhookKey& key, const webhooks::CutOff& cut_off);
  Status tell_of_drops(const webhooks::WebhookKey& key, std::size_t dropped);

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
  store::Store& store_;
  webhooks::Poster& poster_;
  Metrics& metrics_;
  const Uuid node_;  // of this process, for leases
};

}  // namespace warifu::front::outbox

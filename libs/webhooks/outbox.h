#pragma once

#include <optional>

#include "base/entropy.h"
#include "webhooks/event.h"
#include "webhooks/records.h"

// The transactional outbox: an event is a row for each webhook that wants it, written in the transaction of the fact.
namespace warifu::webhooks {

// For every webhook of the scope that wants this type, but for `except`; under one ID. Writes nothing if there is none.
Status append(Records& records, Entropy& entropy, const Event& event, Timestamp at,
              const std::optional<Label>& except = {});
// For these webhooks, whatever they want; under one ID.
Status append_for(Records& records, Entropy& entropy, const std::vector<Label>& names, const Event& event,
                  Timestamp at);
// For one webhook, whatever it wants; the event's ID.
Result<Uuid> append_to(Records& records, Entropy& entropy, const Event& event, Timestamp at, const Label& name);

}  // namespace warifu::webhooks

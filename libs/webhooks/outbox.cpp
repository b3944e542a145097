#include "webhooks/outbox.h"

namespace warifu::webhooks {
namespace {

Delivery delivery_of(const Event& event, const Uuid& id, Timestamp at) {
  return {.event_id = id, .body = to_cloud_event(event, id, at), .created_at = at, .due_at = at};
}

}  // namespace

Status append(Records& records, Entropy& entropy, const Event& event, Timestamp at,
              const std::optional<Label>& except) {
  TRY(auto takers, records.list_takers(event.scope, event.type));
  if (except) std::erase(takers, *except);
  return append_for(records, entropy, takers, event, at);
}

Status append_for(Records& records, Entropy& entropy, const std::vector<Label>& names, const Event& event,
                  Timestamp at) {
  if (names.empty()) return {};
  const auto delivery = delivery_of(event, Uuid::v7(at, entropy), at);
  for (const Label& name : names)
    TRY_STATUS(records.insert_delivery(event.scope, name, delivery));
  return {};
}

Result<Uuid> append_to(Records& records, Entropy& entropy, const Event& event, Timestamp at, const Label& name) {
  const Uuid id = Uuid::v7(at, entropy);
  TRY_STATUS(records.insert_delivery(event.scope, name, delivery_of(event, id, at)));
  return id;
}

}  // namespace warifu::webhooks

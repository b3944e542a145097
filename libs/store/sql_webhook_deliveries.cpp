// What waits for webhooks.
#include "store/sql_records.h"
#include "store/sql_webhooks.h"

namespace warifu::store {
namespace {

using webhooks::Backlog;
using webhooks::Delivery;

#define DELIVERY_COLUMNS "event_id, created_at, attempts, due_at, body"
#define KEY "scope_id = ? AND name = ?"

constexpr Sql kBacklog = "SELECT count(*), (SELECT created_at FROM webhook_deliveries WHERE " KEY
                         " ORDER BY event_id LIMIT 1) FROM webhook_deliveries WHERE " KEY;
constexpr Sql kFindDue = "SELECT " DELIVERY_COLUMNS " FROM webhook_deliveries WHERE " KEY
                         " AND due_at <= ? ORDER BY due_at, event_id LIMIT 1";
constexpr Sql kFind = "SELECT " DELIVERY_COLUMNS " FROM webhook_deliveries WHERE " KEY " AND event_id = ?";
constexpr Sql kInsert =
    "INSERT INTO webhook_deliveries (scope_id, name, " DELIVERY_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kRemove = "DELETE FROM webhook_deliveries WHERE " KEY " AND event_id = ?";
constexpr Sql kPostpone = "UPDATE webhook_deliveries SET attempts = ?, due_at = ? WHERE " KEY " AND event_id = ?";
constexpr Sql kListNewest = "SELECT event_id FROM webhook_deliveries WHERE " KEY " ORDER BY event_id DESC LIMIT ?";
// It reads no more rows than it may drop.
constexpr Sql kDrop = "DELETE FROM webhook_deliveries WHERE " KEY
                      " AND (event_id <= ? OR created_at < ?) AND event_id IN (SELECT event_id FROM webhook_deliveries "
                      "WHERE " KEY " ORDER BY event_id LIMIT ?)";

#undef DELIVERY_COLUMNS
#undef KEY

Result<Backlog> to_backlog(Row row) {
  TRY(const auto waiting, row.next<std::int64_t>());
  TRY(const auto oldest, row.next<std::optional<Timestamp>>());
  return Backlog{static_cast<std::size_t>(waiting), oldest};
}

Result<Uuid> to_event_id(Row row) {
  return row.next<Uuid>();
}

Result<Delivery> to_delivery(Row row) {
  TRY(const auto event_id, row.next<Uuid>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto attempts, row.next<std::int64_t>());
  TRY(const auto due_at, row.next<Timestamp>());
  TRY(auto body, row.next<std::string>());
  return Delivery{event_id, std::move(body), created_at, attempts, due_at};
}

}  // namespace

Result<Backlog> SqlWebhookRecords::backlog(const ScopeId& scope, const Label& name) {
  TRY(auto query, connection_.prepare(kBacklog));
  query.bind(scope, name, scope, name);
  TRY_STATUS(query.step());
  return to_backlog(query.row());
}

Result<std::optional<Delivery>> SqlWebhookRecords::find_due(const ScopeId& scope, const Label& name, Timestamp now) {
  TRY(auto query, connection_.prepare(kFindDue));
  query.bind(scope, name, now);
  return read_one(query, to_delivery);
}

Result<std::optional<Delivery>> SqlWebhookRecords::find_delivery(const ScopeId& scope, const Label& name,
                                                                 const Uuid& event_id) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, name, event_id);
  return read_one(query, to_delivery);
}

Status SqlWebhookRecords::insert_delivery(const ScopeId& scope, const Label& name, const Delivery& delivery) {
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(scope, name, delivery.event_id, delivery.created_at, delivery.attempts, delivery.due_at, delivery.body);
  TRY_STATUS(run_unaudited(query));
  has_appended_ = true;
  return {};
}

Status SqlWebhookRecords::remove_delivery(const ScopeId& scope, const Label& name, const Uuid& event_id) {
  TRY(auto query, connection_.prepare(kRemove));
  query.bind(scope, name, event_id);
  return run_unaudited(query);
}

Status SqlWebhookRecords::postpone_delivery(const ScopeId& scope, const Label& name, const Delivery& delivery) {
  TRY(auto query, connection_.prepare(kPostpone));
  query.bind(delivery.attempts, delivery.due_at, scope, name, delivery.event_id);
  return run_unaudited(query);
}

Result<std::optional<Uuid>> SqlWebhookRecords::find_excess(const ScopeId& scope, const Label& name,
                                                           std::size_t kept_max) {
  TRY(auto query, connection_.prepare(kListNewest));
  query.bind(scope, name, limit_of(kept_max + 1));
  TRY(const auto newest, read_all(query, to_event_id));
  if (newest.size() <= kept_max) return std::nullopt;
  return newest.back();
}

Result<std::size_t> SqlWebhookRecords::drop_deliveries(const ScopeId& scope, const Label& name,
                                                       const webhooks::CutOff& cut_off, std::size_t limit) {
  TRY(auto query, connection_.prepare(kDrop));
  const Bytes none;  // before every ID
  const ByteView excess = cut_off.excess ? cut_off.excess->bytes() : ByteView(none);
  query.bind(scope, name, excess, cut_off.before, scope, name, limit_of(limit));
  TRY_STATUS(run_unaudited(query));
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace warifu::store

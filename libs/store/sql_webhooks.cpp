#include "store/sql_webhooks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "store/sql_records.h"
#include "webhooks/desk.h"

namespace warifu::store {
namespace {

using webhooks::Progress;
using webhooks::Webhook;
using webhooks::WebhookKey;

#define WEBHOOK_COLUMNS                                                                               \
  "scope_id, name, url, event_types, ca_pem, sealed_secret, sealed_previous_secret, previous_until, " \
  "created_at"
#define PROGRESS_COLUMNS                                                                              \
  "resume_at, failures, failing_since, is_given_up, last_success_at, last_failure_at, last_failure, " \
  "delivered, dropped"
#define KEY "scope_id = ? AND name = ?"

constexpr Sql kFind = "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE " KEY;
constexpr Sql kList = "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE scope_id = ? ORDER BY name";
constexpr Sql kListTypes = "SELECT name, event_types FROM webhooks WHERE scope_id = ? ORDER BY name";
constexpr Sql kListAll = "SELECT scope_id, name FROM webhooks ORDER BY scope_id, name";
constexpr Sql kInsert = "INSERT INTO webhooks (" WEBHOOK_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kRemove = "DELETE FROM webhooks WHERE " KEY;
constexpr Sql kPutSecrets =
    "UPDATE webhooks SET sealed_secret = ?, sealed_previous_secret = ?, previous_until = ? WHERE " KEY;

constexpr Sql kFindProgress = "SELECT " PROGRESS_COLUMNS " FROM webhook_progress WHERE " KEY;
constexpr Sql kInsertProgress =
    "INSERT INTO webhook_progress (scope_id, name, resume_at, failures, is_given_up, last_failure, delivered, dropped, "
    "lease_until) VALUES (?, ?, 0, 0, 0, '', 0, 0, 0)";
constexpr Sql kPutProgress =
    "UPDATE webhook_progress SET resume_at = ?, failures = ?, failing_since = ?, is_given_up = ?, last_success_at = ?, "
    "last_failure_at = ?, last_failure = ?, delivered = ?, dropped = ? WHERE " KEY;
constexpr Sql kRemoveProgress = "DELETE FROM webhook_progress WHERE " KEY;
constexpr Sql kRemoveDeliveries = "DELETE FROM webhook_deliveries WHERE " KEY;
constexpr Sql kTakeLease = "UPDATE webhook_progress SET lease_node = ?, lease_until = ? WHERE " KEY
                           " AND (lease_node = ? OR lease_until <= ?)";
constexpr Sql kEndLease = "UPDATE webhook_progress SET lease_until = 0 WHERE " KEY " AND lease_node = ?";
constexpr Sql kListDue =
    "SELECT scope_id, name FROM webhook_progress WHERE resume_at <= ? AND (lease_node = ? OR lease_until <= ?) AND "
    "EXISTS (SELECT 1 FROM webhook_deliveries WHERE webhook_deliveries.scope_id = webhook_progress.scope_id AND "
    "webhook_deliveries.name = webhook_progress.name AND webhook_deliveries.due_at <= ?) ORDER BY scope_id, name";

#undef WEBHOOK_COLUMNS
#undef PROGRESS_COLUMNS
#undef KEY

std::string to_column(const std::vector<std::string>& types) {
  return fmt::format("{}", fmt::join(types, " "));
}

std::vector<std::string> to_types(std::string_view column) {
  std::vector<std::string> types;
  while (!column.empty()) {
    const auto end = std::min(column.find(' '), column.size());
    types.emplace_back(column.substr(0, end));
    column.remove_prefix(std::min(end + 1, column.size()));
  }
  return types;
}

Result<Webhook> to_webhook(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto name, row.next<Label>());
  TRY(auto url, row.next<std::string>());
  TRY(const auto types, row.next<std::string>());
  TRY(auto ca_pem, row.next<std::string>());
  TRY(auto sealed_secret, row.next<Bytes>());
  TRY(auto sealed_previous, row.next<std::optional<Bytes>>());
  TRY(const auto previous_until, row.next<std::optional<Timestamp>>());
  TRY(const auto created_at, row.next<Timestamp>());
  return Webhook{.scope = std::move(scope),
                 .name = std::move(name),
                 .url = std::move(url),
                 .event_types = to_types(types),
                 .ca_pem = std::move(ca_pem),
                 .sealed_secret = std::move(sealed_secret),
                 .sealed_previous_secret = std::move(sealed_previous),
                 .previous_until = previous_until,
                 .created_at = created_at};
}

struct Wish {
  Label name;
  std::vector<std::string> types;
};
Result<Wish> to_wish(Row row) {
  TRY(auto name, row.next<Label>());
  TRY(const auto types, row.next<std::string>());
  return Wish{std::move(name), to_types(types)};
}

Result<WebhookKey> to_key(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto name, row.next<Label>());
  return WebhookKey{std::move(scope), std::move(name)};
}

Result<Progress> to_progress(Row row) {
  Progress progress;
  TRY(progress.resume_at, row.next<Timestamp>());
  TRY(progress.failures, row.next<std::int64_t>());
  TRY(progress.failing_since, row.next<std::optional<Timestamp>>());
  TRY(progress.is_given_up, row.next<bool>());
  TRY(progress.last_success_at, row.next<std::optional<Timestamp>>());
  TRY(progress.last_failure_at, row.next<std::optional<Timestamp>>());
  TRY(progress.last_failure, row.next<std::string>());
  TRY(progress.delivered, row.next<std::int64_t>());
  TRY(progress.dropped, row.next<std::int64_t>());
  return progress;
}

}  // namespace

Status SqlWebhookRecords::run_unaudited(Query& query) {
  TRY_STATUS(query.run());
  unaudited_rows_ += connection_.changes();
  return {};
}

Result<std::optional<Webhook>> SqlWebhookRecords::find_webhook(const ScopeId& scope, const Label& name) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, name);
  return read_one(query, to_webhook);
}

Result<std::vector<Webhook>> SqlWebhookRecords::list_webhooks(const ScopeId& scope) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope);
  return read_all(query, to_webhook);
}

Result<std::vector<Label>> SqlWebhookRecords::list_takers(const ScopeId& scope, std::string_view type) {
  TRY(auto query, connection_.prepare(kListTypes));
  query.bind(scope);
  TRY(auto wishes, read_all(query, to_wish));
  std::vector<Label> takers;
  for (Wish& wish : wishes)
    if (wish.types.empty() || std::ranges::find(wish.types, type) != wish.types.end())
      takers.push_back(std::move(wish.name));
  return takers;
}

Result<std::optional<Progress>> SqlWebhookRecords::find_progress(const ScopeId& scope, const Label& name) {
  TRY(auto query, connection_.prepare(kFindProgress));
  query.bind(scope, name);
  return read_one(query, to_progress);
}

Result<std::vector<WebhookKey>> SqlWebhookRecords::list_all() {
  TRY(auto query, connection_.prepare(kListAll));
  query.bind();
  return read_all(query, to_key);
}

Result<std::vector<WebhookKey>> SqlWebhookRecords::list_due(const Uuid& node, Timestamp now) {
  TRY(auto query, connection_.prepare(kListDue));
  query.bind(now, node, now, now);
  return read_all(query, to_key);
}

Status SqlWebhookRecords::insert_webhook(const Webhook& webhook) {
  const std::string types = to_column(webhook.event_types);
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(webhook.scope, webhook.name, webhook.url, types, webhook.ca_pem, webhook.sealed_secret,
             webhook.sealed_previous_secret, webhook.previous_until, webhook.created_at);
  TRY_STATUS(name_conflict(query.run(), "webhook.exists", "a webhook named", webhook.name.text()));
  TRY(auto progress, connection_.prepare(kInsertProgress));
  progress.bind(webhook.scope, webhook.name);
  return progress.run();
}

Status SqlWebhookRecords::remove_webhook(const ScopeId& scope, const Label& name) {
  const auto remove = [&](Sql sql) -> Status {
    TRY(auto query, connection_.prepare(sql));
    query.bind(scope, name);
    return query.run();
  };
  TRY_STATUS(remove(kRemove));
  if (connection_.changes() != 1) return webhooks::unknown_webhook(name);
  TRY_STATUS(remove(kRemoveProgress));
  return remove(kRemoveDeliveries);
}

Status SqlWebhookRecords::put_secrets(const Webhook& webhook) {
  TRY(auto query, connection_.prepare(kPutSecrets));
  query.bind(webhook.sealed_secret, webhook.sealed_previous_secret, webhook.previous_until, webhook.scope,
             webhook.name);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return webhooks::unknown_webhook(webhook.name);
}

Result<bool> SqlWebhookRecords::take_lease(const ScopeId& scope, const Label& name, const webhooks::Lease& lease,
                                           Timestamp now) {
  TRY(auto query, connection_.prepare(kTakeLease));
  query.bind(lease.node, lease.until, scope, name, lease.node, now);
  TRY_STATUS(run_unaudited(query));
  return connection_.changes() == 1;
}

Status SqlWebhookRecords::end_lease(const ScopeId& scope, const Label& name, const Uuid& node) {
  TRY(auto query, connection_.prepare(kEndLease));
  query.bind(scope, name, node);
  return run_unaudited(query);
}

Status SqlWebhookRecords::put_progress(const ScopeId& scope, const Label& name, const Progress& progress) {
  TRY(auto query, connection_.prepare(kPutProgress));
  query.bind(progress.resume_at, progress.failures, progress.failing_since, progress.is_given_up,
             progress.last_success_at, progress.last_failure_at, progress.last_failure, progress.delivered,
             progress.dropped, scope, name);
  return run_unaudited(query);
}

}  // namespace warifu::store
